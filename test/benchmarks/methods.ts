/**
 * Step time and peak memory of every method beside LoRA's, at MiniLM size and where a method has a size to choose, with about as
 * many trained numbers as LoRA of rank 8. Each measurement has a process of its own; a round takes every method in turn.
 *
 * Options: --steps 6 --rounds 3 --threads 1 --batch 16 --sequence 128 --only TYPE,TYPE --out FILE.json
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMethod, listMethods } from '../../electron/engine/index.js';
import { benchModelOf } from './model.js';
import { machineLines, measureApart, megabytes, milliseconds, ratio, start, summarize, table } from './report.js';
import type { Measurement, Work } from './worker.js';

const reference: Work['method'] = { type: 'lora' };
/** Settings of a method that give about as many trained numbers; the others are measured by their defaults. */
const alike: readonly Work['method'][] = [
  { type: 'lora', useDora: true },
  { type: 'adalora', initRank: 8, targetRank: 4 },
  { type: 'loha', rank: 4 },
  { type: 'lokr', decomposeFactor: 64 },
  { type: 'prefix', numVirtualTokens: 16 },
  { type: 'p-tuning', encoderReparameterizationType: 'LSTM' },
  { type: 'p-tuning', version: 2, numVirtualTokens: 16 },
  { type: 'bottleneck', placement: 'pfeiffer', reductionFactor: 24 },
  { type: 'bottleneck', placement: 'houlsby', reductionFactor: 48 },
  { type: 'bottleneck', placement: 'parallel', reductionFactor: 24 },
];
/** Of these the default is no setting of its own beside those above. */
const withoutDefault = ['lora', 'adalora', 'loha', 'lokr', 'prefix', 'bottleneck', 'prompt-search'];

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      steps: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: '1' },
      batch: { type: 'string', default: '16' },
      sequence: { type: 'string', default: '128' },
      only: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const [steps, threads, batchSize] = [Number(options.steps), Number(options.threads), Number(options.batch)];
  const only = options.only?.split(',');
  // A method that composes finished runs has no default.
  const defaults = listMethods()
    .filter(({ type, options: own }) => !withoutDefault.includes(type) && own.safeParse({ type }).success)
    .map(({ type }): Work['method'] => ({ type }));
  const methods = [
    reference,
    ...[...alike, ...defaults].filter(({ type }) => only === undefined || only.includes(type)),
  ];
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  const measured = methods.map((): Measurement[] => []);
  const model = benchModelOf('minilm');
  try {
    await model.write(folder, model.layers);
    for (let round = 0; round < Number(options.rounds); round++)
      for (const [i, method] of methods.entries()) {
        const lengths = [Number(options.sequence)];
        const work = { folder, method, steps, warmup: 2, batchSize, lengths, threads };
        measured[i]?.push(await measureApart({ ...work, objective: 'classification' }));
        process.stderr.write(`round ${round + 1} of ${options.rounds}: ${describeMethod(method)}\n`);
      }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const sides = measured.map(summarize);
  const [lora] = sides as [(typeof sides)[number]];
  const machine = await machineLines(threads, {});
  console.log(machine);
  console.log(
    `${model.title}, ${model.layers} layers, ${batchSize} × ${options.sequence}; medians of ${options.rounds} × ${steps} steps\n`,
  );
  const rows = methods.map((method, i) => ({
    method: describeMethod(method),
    ...(sides[i] as (typeof sides)[number]),
  }));
  console.log(
    table([
      ['method', 'trained numbers', 'step, ms', 'to LoRA', 'of the processor, ms', 'to LoRA', 'peak memory, MB'],
      ...rows.map((row) => [
        row.method,
        row.trainable.toLocaleString('en'),
        milliseconds(row.seconds),
        ratio(row.seconds, lora.seconds),
        milliseconds(row.cpuSeconds),
        ratio(row.cpuSeconds, lora.cpuSeconds),
        megabytes(row.peakMemoryBytes),
      ]),
    ]),
  );
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
}

await start(main);
