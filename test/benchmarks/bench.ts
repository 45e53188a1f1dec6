/**
 * Step time, tokens a second and peak memory of LoRA, bottleneck adapters and full fine-tuning at MiniLM size, and beside them
 * transformers + peft on the same machine in the same run where a Python has them. Processes alternate, medians are compared.
 *
 * Two shapes of batch: full rows of one length, and rows as long as real texts are, padded to the longest of their batch.
 *
 * Options: --steps 12 --rounds 2 --threads N --batch 16 --sequence 128 --shapes full,texts --rows FILE --column NAME
 *   --python PATH (or PEFT_STUDIO_PYTHON) --methods lora,bottleneck,full --out FILE.json
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { openTokenizer, readRows } from '../../electron/data/index.js';
import { labels, lengthsOf, miniLm, writeModel } from './model.js';
import { measure, measurementSchema, workSchema, type Measurement, type Work } from './worker.js';

const execute = promisify(execFile);
const self = fileURLToPath(import.meta.url);
const methods: Readonly<Record<string, { title: string; method: Work['method'] }>> = {
  lora: {
    title: 'LoRA r 8, query value',
    method: { type: 'lora', rank: 8, alpha: 16, dropout: 0, targetModules: ['query', 'value'] },
  },
  bottleneck: {
    title: 'Bottleneck 64, Houlsby',
    method: { type: 'bottleneck', placement: 'houlsby', reductionFactor: 6, activation: 'relu' },
  },
  full: { title: 'Full fine-tuning', method: { type: 'full' } },
};
const spellingSchema = z.object({ attention: z.string(), fused: z.boolean() });

async function lastLine(command: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await execute(command, args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}

/** Tokens of each text of a file's column by the starter model's tokenizer, cut to `limit`. */
async function lengthsOfTexts(file: string, column: string, limit: number): Promise<number[]> {
  const tokenizer = await openTokenizer(above('native-assets/starter-model'));
  const texts: { text: string; pair: null }[] = [];
  for await (const row of readRows(file)) {
    if ('problem' in row) continue;
    const text = row.values[column];
    if (text === undefined) throw new Error(`${file} has no column ${column}.`);
    texts.push({ text, pair: null });
    if (texts.length === 2000) break;
  }
  return (await tokenizer.encode(texts, limit)).map(({ ids }) => ids.length);
}

/** A Python with torch, transformers and peft, or null: then only our side is measured. */
async function findPython(wanted: string | undefined): Promise<string | null> {
  const candidates = wanted === undefined ? ['python3', 'python'] : [wanted];
  for (const python of candidates) {
    const ready = await execute(python, ['-c', 'import torch, transformers, peft']).then(
      () => true,
      () => false,
    );
    if (ready) return python;
  }
  if (wanted !== undefined)
    throw new Error(`${wanted} cannot import torch, transformers and peft; install them there or leave --python out.`);
  return null;
}

/** A path of the repository: the bundle lies two or more folders below its root. */
function above(file: string): string {
  for (let folder = join(self, '..'); ; folder = join(folder, '..')) {
    const path = join(folder, file);
    if (existsSync(path)) return path;
    if (folder === join(folder, '..'))
      throw new Error(`${file} was not found above the benchmark bundle; run it inside a checkout.`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

interface Side {
  readonly seconds: number;
  readonly peakMemoryBytes: number | null;
  readonly loss: number;
  readonly trainable: number;
}

/** Medians over all rounds' steps; memory is the largest of the rounds. */
function summarize(rounds: readonly Measurement[]): Side {
  const first = rounds[0];
  if (first === undefined) throw new Error('no round was measured');
  return {
    seconds: median(rounds.flatMap((round) => round.seconds)),
    peakMemoryBytes: rounds.reduce<number | null>(
      (peak, round) => (peak === null || round.peakMemoryBytes === null ? null : Math.max(peak, round.peakMemoryBytes)),
      0,
    ),
    loss: first.losses[0] ?? NaN,
    trainable: first.trainable,
  };
}

function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows;
  return head === undefined ? '' : [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

const megabytes = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined ? '–' : (bytes / 1e6).toFixed(0);

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      steps: { type: 'string', default: '12' },
      rounds: { type: 'string', default: '2' },
      threads: { type: 'string', default: String(Math.min(availableParallelism(), 16)) },
      batch: { type: 'string', default: '16' },
      sequence: { type: 'string', default: '128' },
      shapes: { type: 'string', default: 'full,texts' },
      rows: { type: 'string' },
      column: { type: 'string', default: 'definition' },
      python: { type: 'string' },
      methods: { type: 'string', default: Object.keys(methods).join(',') },
      out: { type: 'string' },
    },
  });
  const python = await findPython(options.python ?? process.env.PEFT_STUDIO_PYTHON);
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  const [batchSize, sequence, threads] = [Number(options.batch), Number(options.sequence), Number(options.threads)];
  const steps = Number(options.steps);
  const shapes = await Promise.all(
    options.shapes.split(',').map(async (shape) => ({
      shape,
      lengths:
        shape === 'full'
          ? [sequence]
          : await lengthsOfTexts(
              options.rows ?? above('native-assets/samples/wordnet-domains.csv'),
              options.column,
              sequence,
            ),
    })),
  );
  const results: {
    shape: string;
    tokens: number;
    method: string;
    ours: Side;
    theirs: Side | null;
    spelling: string | null;
  }[] = [];
  let versions: Record<string, string> = { node: process.versions.node };
  try {
    await writeModel(folder, miniLm);
    for (const name of options.methods.split(',')) {
      const chosen = methods[name];
      if (chosen === undefined)
        throw new Error(`--methods has "${name}"; it takes ${Object.keys(methods).join(', ')}.`);
      for (const { shape, lengths } of shapes) {
        const work = {
          folder,
          steps,
          warmup: 2,
          batchSize,
          lengths,
          threads,
          labels: labels.length,
        };
        const peerWork = {
          ...work,
          method: chosen.method.type === 'bottleneck' ? { type: 'bottleneck', size: 64 } : chosen.method,
        };
        const peer = (more: object) =>
          lastLine(python ?? '', [above('test/benchmarks/peer.py'), JSON.stringify({ ...peerWork, ...more })]);
        const spelling = python === null ? null : z.object({ spelling: spellingSchema }).parse(await peer({})).spelling;
        const ours: Measurement[] = [];
        const theirs: Measurement[] = [];
        for (let round = 0; round < Number(options.rounds); round++) {
          ours.push(
            measurementSchema.parse(
              await lastLine(process.execPath, [self, 'worker', JSON.stringify({ ...work, method: chosen.method })]),
            ),
          );
          if (spelling !== null) theirs.push(measurementSchema.parse(await peer({ spelling })));
          process.stderr.write(`${chosen.title}, ${shape}: round ${round + 1} of ${options.rounds}\n`);
        }
        versions = { ...versions, ...theirs[0]?.versions };
        // Real tokens a measured step, padding not counted.
        const tokens =
          Array.from({ length: steps }, (_, step) => lengthsOf(step + work.warmup, batchSize, lengths))
            .flat()
            .reduce((sum, length) => sum + length, 0) / steps;
        results.push({
          shape: shape === 'full' ? `${batchSize} × ${sequence}` : `${batchSize} texts, ${Math.round(tokens)} tokens`,
          tokens,
          method: chosen.title,
          ours: summarize(ours),
          theirs: theirs.length === 0 ? null : summarize(theirs),
          spelling: spelling === null ? null : `${spelling.attention}, ${spelling.fused ? 'fused' : 'ordinary'} AdamW`,
        });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  versions['onnxruntime-node'] = await runtimeVersion();
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${threads} threads of ${availableParallelism()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${platform()} ${release()}`;
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${machine}\n${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
  );
  console.log(
    `BERT shape, ${miniLm.layers} layers, width ${miniLm.hiddenSize}; dropout 0; AdamW, clipping 1; medians of ${options.rounds} × ${options.steps} steps\n`,
  );
  console.log(
    table([
      [
        'method',
        'batch',
        'ours, ms',
        'PyTorch, ms',
        'ratio',
        'tokens/s, ours',
        'PyTorch',
        'peak memory, ours, MB',
        'PyTorch',
        'first loss, ours',
        'PyTorch',
        'PyTorch runs with',
      ],
      ...results.map(({ method, shape, tokens, ours, theirs, spelling }) => [
        method,
        shape,
        (ours.seconds * 1000).toFixed(0),
        theirs === null ? '–' : (theirs.seconds * 1000).toFixed(0),
        theirs === null ? '–' : (ours.seconds / theirs.seconds).toFixed(2),
        (tokens / ours.seconds).toFixed(0),
        theirs === null ? '–' : (tokens / theirs.seconds).toFixed(0),
        megabytes(ours.peakMemoryBytes),
        megabytes(theirs?.peakMemoryBytes),
        ours.loss.toFixed(5),
        theirs === null ? '–' : theirs.loss.toFixed(5),
        spelling ?? '–',
      ]),
    ]),
  );
  if (python === null)
    console.log('\nNo Python with torch, transformers and peft was found: our side only. Name one by --python PATH.');
  if (options.out !== undefined)
    await writeFile(
      options.out,
      `${JSON.stringify({ date: new Date().toISOString(), machine, versions, batchSize, sequence, results }, null, 2)}\n`,
    );
}

async function runtimeVersion(): Promise<string> {
  const file = fileURLToPath(import.meta.resolve('onnxruntime-node/package.json'));
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8'))).version;
}

if (process.argv[2] === 'worker')
  console.log(JSON.stringify(await measure(workSchema.parse(JSON.parse(process.argv[3] ?? 'null')))));
else await main();
