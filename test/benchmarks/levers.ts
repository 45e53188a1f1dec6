/**
 * Each lever of time and memory on its own, before and after: processes alternate, medians are compared.
 *
 * Options: --model minilm --layers N --method lora --steps 8 --rounds 2 --threads 1 --batch N --sequence 128 --shape full --rows FILE --column NAME
 *   --only NAME,NAME
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchModelOf, named, modelOptions } from './model.js';
import { machineLines, measureApart, megabytes, milliseconds, ratio, start, summarize, table } from './report.js';
import { lengthsOfTexts, textOptions } from './texts.js';
import type { Measurement, Work } from './worker.js';

interface Lever {
  readonly title: string;
  readonly before: Partial<Work>;
  readonly after: Partial<Work>;
  /** The weights lie in the file in half precision. */
  readonly half?: boolean;
}

const levers: Readonly<Record<string, Lever>> = {
  weights: {
    title: 'weights held once (`packWeights` false)',
    before: { packWeights: true },
    after: { packWeights: false },
  },
  halves: {
    title: 'weights of half precision held as they are (`packWeights` false)',
    before: { packWeights: true },
    after: { packWeights: false },
    half: true,
  },
  checkpointing: {
    title: 'layers computed anew (`gradientCheckpointing`)',
    before: { gradientCheckpointing: false },
    after: { gradientCheckpointing: true },
  },
  'eight-bit': {
    title: 'frozen products in 8 bits (`loadIn8bit`)',
    before: { loadIn8bit: false },
    after: { loadIn8bit: true },
  },
  'eight-bit-checkpointing': {
    title: 'frozen products in 8 bits, layers computed anew',
    before: { loadIn8bit: false, gradientCheckpointing: false },
    after: { loadIn8bit: true, gradientCheckpointing: true },
  },
  'halves-checkpointing': {
    title: 'both, weights of half precision',
    before: { packWeights: true, gradientCheckpointing: false },
    after: { packWeights: false, gradientCheckpointing: true },
    half: true,
  },
  both: {
    title: 'both',
    before: { packWeights: true, gradientCheckpointing: false },
    after: { packWeights: false, gradientCheckpointing: true },
  },
  accumulation: {
    title: 'a batch in four parts (`accumulationSteps` 4)',
    before: {},
    after: { accumulationSteps: 4 },
  },
  buffers: {
    title: 'outputs written over what they replace',
    before: { way: 'new outputs' },
    after: {},
  },
  arena: {
    title: 'memory of a step used again by the next (arena)',
    before: { way: 'no arena' },
    after: {},
  },
  patterns: {
    title: 'no plan of memory for each size of batch',
    before: { way: 'patterns' },
    after: {},
  },
  frozen: {
    title: 'frozen layers computed once a text (head only, no dropout)',
    before: { method: { type: 'head' } },
    after: { method: { type: 'head' }, keepFrozen: true },
  },
};

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      ...modelOptions,
      method: { type: 'string', default: 'lora' },
      steps: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '2' },
      threads: { type: 'string', default: '1' },
      batch: { type: 'string' },
      shape: { type: 'string', default: 'full' },
      ...textOptions,
      only: { type: 'string', default: Object.keys(levers).join() },
    },
  });
  const model = benchModelOf(options.model);
  const chosen = options.only.split(',').map((name) => ({
    lever: named(levers, 'only', name),
    before: [] as Measurement[],
    after: [] as Measurement[],
  }));
  const [sequence, steps, threads] = [Number(options.sequence), Number(options.steps), Number(options.threads)];
  const batchSize = Number(options.batch ?? model.batch);
  const layers = Number(options.layers ?? model.layers);
  const lengths = options.shape === 'full' ? [sequence] : (await lengthsOfTexts('texts', options, sequence)).lengths;
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  try {
    const [whole, half] = [join(folder, 'F32'), join(folder, 'F16')];
    await model.write(whole, layers);
    await model.write(half, layers, 'F16');
    const { objective } = model;
    const method = { type: options.method };
    const work: Work = { folder: whole, objective, method, steps, warmup: 2, batchSize, lengths, threads };
    for (let round = 0; round < Number(options.rounds); round++)
      for (const { lever, before, after } of chosen) {
        const own = { ...work, folder: lever.half ? half : whole };
        before.push(await measureApart({ ...own, ...lever.before }));
        after.push(await measureApart({ ...own, ...lever.after }));
        process.stderr.write(`${lever.title}: round ${round + 1} of ${options.rounds}\n`);
      }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(await machineLines(threads, {}));
  const rows = options.shape === 'full' ? `${batchSize} × ${sequence}` : `${batchSize} texts`;
  console.log(`${model.title}, ${layers} layers, ${options.method}, ${rows}; medians\n`);
  console.log(
    table([
      [
        'lever',
        'step, ms',
        'with it',
        'ratio',
        'of the processor, ms',
        'with it',
        'ratio',
        'peak memory, MB',
        'with it',
        'ratio',
      ],
      ...chosen.map(({ lever, before, after }) => {
        const [off, on] = [summarize(before), summarize(after)];
        return [
          lever.title,
          milliseconds(off.seconds),
          milliseconds(on.seconds),
          ratio(on.seconds, off.seconds),
          milliseconds(off.cpuSeconds),
          milliseconds(on.cpuSeconds),
          ratio(on.cpuSeconds, off.cpuSeconds),
          megabytes(off.peakMemoryBytes),
          megabytes(on.peakMemoryBytes),
          ratio(on.peakMemoryBytes ?? NaN, off.peakMemoryBytes),
        ];
      }),
    ]),
  );
}

await start(main);
