/**
 * Tokenizing once, remembered and in another process, each beside the same rows without it: what a training step would spend on it, what
 * a second run does, and how long the process that a window is drawn by would stand still.
 *
 * Options: --model FOLDER (default the starter) --rows FILE --column NAME --batch 16 --max-length 128 --rounds 3
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { classBatches, encodeRows, openTokenizer, TrainingBatches } from '../../electron/data/index.js';
import { above, machineLines, median, ratio, start, table } from './report.js';
import { cellsIn } from './texts.js';

interface Options {
  readonly model: string;
  readonly rows: string;
  readonly column: string;
  readonly maxLength: number;
}
type Row = { readonly id: number; readonly text: string; readonly pair: null; readonly label: string };

async function textsOf({ rows, column }: Options): Promise<Row[]> {
  const texts: Row[] = [];
  for await (const [text = ''] of cellsIn(rows, [column]))
    texts.push({ id: texts.length, text, pair: null, label: 'a' });
  return texts;
}

const labels = ['a'];

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** All rows as training has them. */
async function tokenizeAll(options: Options): Promise<void> {
  const tokenizer = await openTokenizer(options.model);
  await encodeRows(await textsOf(options), tokenizer, { labels, maxLength: options.maxLength });
}

/** The longest time that this process answers nothing, in milliseconds, and its share of the processor, while some work is done. */
async function stillWhile(work: () => Promise<unknown>): Promise<{ longest: number; busy: number }> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const before = performance.eventLoopUtilization();
  await work();
  const { active } = performance.eventLoopUtilization(before);
  delays.disable();
  return { longest: delays.max / 1e6, busy: active / 1000 };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: above('native-assets/starter-model') },
      rows: { type: 'string', default: above('native-assets/samples/wordnet-domains.csv') },
      column: { type: 'string', default: 'definition' },
      batch: { type: 'string', default: '16' },
      'max-length': { type: 'string', default: '128' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const options: Options = { ...values, maxLength: Number(values['max-length']) };
  const { maxLength } = options;
  const batchSize = Number(values.batch);
  const rows = await textsOf(options);
  const training = { batchSize, accumulationSteps: 1, shuffle: true, seed: 1 };
  const steps = Math.ceil(rows.length / batchSize);
  const found = { anew: [] as number[], kept: [] as number[], first: [] as number[], again: [] as number[] };
  const still = { here: [] as number[], apart: [] as number[], busyHere: [] as number[], busyApart: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round++) {
    const tokenizer = await openTokenizer(options.model);
    const { padId } = tokenizer;
    const order = new TrainingBatches(
      classBatches(await encodeRows(rows, tokenizer, { labels, maxLength }), { padId }),
      training,
    );
    found.anew.push(
      await seconds(async () => {
        for (let step = 0; step < steps; step++) {
          const own = Array.from(order.rowsOf(step), (place) => rows[place] as Row);
          const encoded = await encodeRows(own, tokenizer, { labels, maxLength });
          classBatches(encoded, { padId }).batch(Int32Array.from(own.keys()));
        }
      }),
    );
    found.kept.push(
      await seconds(async () => {
        for (let step = 0; step < steps; step++) order.batches(step);
      }),
    );
    tokenizer.remember();
    const run = () => encodeRows(rows, tokenizer, { labels, maxLength });
    found.first.push(await seconds(run));
    found.again.push(await seconds(run));

    const here = await stillWhile(() => tokenizeAll(options));
    const apart = await stillWhile(async () => {
      const words = [fileURLToPath(import.meta.url), 'apart', JSON.stringify(options)];
      const [code] = await once(spawn(process.execPath, words, { stdio: 'inherit' }), 'close');
      if (code !== 0) throw new Error(`the other process ended with ${code}`);
    });
    still.here.push(here.longest);
    still.apart.push(apart.longest);
    still.busyHere.push(here.busy);
    still.busyApart.push(apart.busy);
  }
  console.log(await machineLines(1, {}));
  console.log(
    `${rows.length.toLocaleString('en')} rows, cut to ${maxLength} tokens; medians of ${values.rounds} rounds\n`,
  );
  const line = (title: string, unit: string, before: readonly number[], after: readonly number[], scale = 1) => [
    title,
    unit,
    (median(before) * scale).toPrecision(3),
    (median(after) * scale).toPrecision(3),
    ratio(median(after), median(before)),
  ];
  console.log(
    table([
      ['lever', '', 'before', 'with it', 'ratio'],
      line(`tokenized once, not at each step of ${batchSize}`, 'ms a step', found.anew, found.kept, 1000 / steps),
      line('remembered for the next run', 's, all rows', found.first, found.again),
      line('in another process', 'ms that this one answers nothing, at most', still.here, still.apart),
      line('the same', 's that this one is busy, with reading', still.busyHere, still.busyApart),
    ]),
  );
}

if (process.argv[2] === 'apart') await tokenizeAll(JSON.parse(process.argv[3] ?? 'null') as Options);
else await start(main);
