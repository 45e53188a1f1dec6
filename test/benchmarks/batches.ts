/**
 * How an epoch's rows go through a model: in batches as they come, of rows of like length, or of so many tokens; with padding computed
 * or left out; by one graph, or by one for each size. Every side trains the same rows once, in a process of its own.
 *
 * Options: --model minilm --layers N --method lora --rows FILE --column NAME --texts 960 --batch N --sequence 128 --threads N --rounds 2
 *   --8bit --only NAME,NAME
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { arrangements, type Arrangement } from './arrangements.js';
import { benchModelOf, named, modelOptions } from './model.js';
import {
  defaultThreads,
  machineLines,
  measureApart,
  median,
  megabytes,
  milliseconds,
  ratio,
  start,
  table,
} from './report.js';
import { lengthsOfTexts, textOptions } from './texts.js';
import type { Measurement, Work } from './worker.js';

interface Side extends Partial<Work> {
  readonly title: string;
  readonly arrangement: Arrangement;
}

const sides: Readonly<Record<string, Side>> = {
  padded: { title: 'padding computed, as they come', arrangement: 'drawn', filled: true },
  'padded-graphs': {
    title: 'padding computed, as they come, a graph for each length',
    arrangement: 'drawn',
    filled: true,
    way: 'a graph for each size',
  },
  'padded-buckets': { title: 'padding computed, rows of like length together', arrangement: 'buckets', filled: true },
  'padded-budget': { title: 'padding computed, so many tokens a batch', arrangement: 'budget', filled: true },
  tokens: { title: 'tokens alone, as they come (the app)', arrangement: 'drawn' },
  'tokens-buckets': { title: 'tokens alone, rows of like length together', arrangement: 'buckets' },
  'tokens-budget': { title: 'tokens alone, so many tokens a batch', arrangement: 'budget' },
};

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      ...modelOptions,
      method: { type: 'string', default: 'lora' },
      ...textOptions,
      texts: { type: 'string', default: '960' },
      batch: { type: 'string' },
      threads: { type: 'string', default: defaultThreads },
      rounds: { type: 'string', default: '2' },
      '8bit': { type: 'boolean', default: false },
      only: { type: 'string', default: Object.keys(sides).join() },
    },
  });
  const model = benchModelOf(options.model);
  const chosen = options.only.split(',').map((name) => ({
    side: named(sides, 'only', name),
    rounds: [] as Measurement[],
    batches: [] as number[][],
  }));
  const [threads, layers] = [Number(options.threads), Number(options.layers ?? model.layers)];
  const batchSize = Number(options.batch ?? model.batch);
  const all = (await lengthsOfTexts('texts', options, Number(options.sequence))).lengths;
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  let own: number[] = [];
  try {
    await model.write(folder, layers);
    for (const one of chosen) one.batches = arrangements[one.side.arrangement](all, Number(options.texts), batchSize);
    own = chosen[0]?.batches.flat() ?? [];
    for (let round = 0; round < Number(options.rounds); round++)
      for (const { side, rounds, batches } of chosen) {
        const { title, arrangement: _, ...more } = side;
        const { objective } = model;
        const method = { type: options.method };
        const work: Work = {
          folder,
          objective,
          method,
          steps: batches.length,
          warmup: 0,
          batchSize,
          lengths: all,
          threads,
        };
        rounds.push(await measureApart({ ...work, loadIn8bit: options['8bit'], batches, ...more }));
        process.stderr.write(`${title}: round ${round + 1} of ${options.rounds}\n`);
      }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const tokens = own.reduce((sum, length) => sum + length, 0);
  console.log(await machineLines(threads, {}));
  console.log(
    `${model.title}, ${layers} layers, ${options.method}${options['8bit'] ? ' in 8 bits' : ''}; ${own.length} texts of ${(tokens / own.length).toFixed(1)} tokens on average, ${Math.max(...own)} at most; budget of a batch: ${batchSize} of the average; medians of ${options.rounds} rounds\n`,
  );
  const taken = ({ seconds, openings }: Measurement) =>
    seconds.reduce((sum, one) => sum + one, 0) - (openings?.seconds ?? 0);
  const first = median(chosen[0]?.rounds.map(taken) ?? []);
  console.log(
    table([
      [
        'rows',
        'batches',
        'cells computed',
        `ms a ${batchSize} texts`,
        'to the first',
        'graphs',
        'made in, s',
        'peak memory, MB',
      ],
      ...chosen.map(({ side, rounds, batches }) => {
        const seconds = median(rounds.map(taken));
        const cells = batches.reduce(
          (sum, rows) => sum + (side.filled ? rows.length * Math.max(...rows) : rows.reduce((a, b) => a + b, 0)),
          0,
        );
        return [
          side.title,
          String(batches.length),
          cells.toLocaleString('en'),
          milliseconds((seconds * batchSize) / own.length),
          ratio(seconds, first),
          String(rounds[0]?.openings?.count ?? '–'),
          median(rounds.map(({ openings }) => openings?.seconds ?? NaN)).toFixed(2),
          megabytes(Math.max(...rounds.map(({ peakMemoryBytes }) => peakMemoryBytes ?? NaN))),
        ];
      }),
    ]),
  );
}

await start(main);
