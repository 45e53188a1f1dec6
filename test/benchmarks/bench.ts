/**
 * Step time, tokens a second and peak memory of LoRA, bottleneck adapters, prefix tuning and full fine-tuning at MiniLM size, and beside
 * them transformers + peft on the same machine in the same run where a Python has them. Processes alternate, medians are compared.
 * `--model bert-base` does the same at BERT-base's size.
 * `--model smollm2` does the same for LoRA, prefix tuning and full fine-tuning of a decoder of SmolLM2-135M's shape as a language model.
 *
 * Where weights stay frozen, ours stands there twice: as it is by default, and with `loadIn8bit`.
 *
 * Shapes of batches: full rows of one length, and rows as long as real texts are, padded to the longest of their batch; of a decoder
 * also instructions, with loss on what completes them alone.
 * Beside the time on the clock stands that of the processor, which other work on the machine does not lengthen; one thread is
 * the fair setting for it, since a library's threads may spin while they wait.
 *
 * Options: --model minilm --layers N --steps 12 --rounds 2 --threads N --batch 16 --sequence 128 --shapes full,texts --rows FILE
 *   --column NAME[,NAME] --completion COLUMN --python PATH (or PEFT_STUDIO_PYTHON) --methods lora,bottleneck,full --out FILE.json
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { benchModelOf, labels, lengthsOf, named, modelOptions } from './model.js';
import {
  above,
  defaultThreads,
  findPython,
  lastLine,
  machineLines,
  measureApart,
  megabytes,
  milliseconds,
  ratio,
  start,
  summarize,
  table,
  type Side,
} from './report.js';
import { lengthsOfTexts, textOptions, type Shape } from './texts.js';
import { measurementSchema, type Measurement, type Work } from './worker.js';

const titles: Readonly<Record<string, string>> = {
  lora: 'LoRA r 8, query value',
  bottleneck: 'Bottleneck 64, Houlsby',
  prefix: 'Prefix tuning, 20 tokens',
  full: 'Full fine-tuning',
};
const methodsOf = (targetModules: readonly string[]): Readonly<Record<string, Work['method']>> => ({
  lora: { type: 'lora', rank: 8, alpha: 16, dropout: 0, targetModules },
  bottleneck: { type: 'bottleneck', placement: 'houlsby', reductionFactor: 6, activation: 'relu' },
  prefix: { type: 'prefix', numVirtualTokens: 20, prefixProjection: false },
  full: { type: 'full' },
});
const spellingSchema = z.object({ attention: z.string(), fused: z.boolean() });
/** The peer's first answer: how it is fastest, or why it cannot train this. */
const peerSchema = z.union([z.object({ spelling: spellingSchema }), z.object({ refused: z.string() })]);

interface Result {
  readonly shape: string;
  readonly tokens: number;
  readonly method: string;
  readonly ours: Side;
  readonly theirs: Side | null;
  readonly spelling: string | null;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      ...modelOptions,
      steps: { type: 'string', default: '12' },
      rounds: { type: 'string', default: '2' },
      threads: { type: 'string', default: defaultThreads },
      batch: { type: 'string' },
      shapes: { type: 'string' },
      ...textOptions,
      completion: { type: 'string' },
      python: { type: 'string' },
      methods: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const model = benchModelOf(options.model);
  const python = await findPython(options.python ?? process.env.PEFT_STUDIO_PYTHON);
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  const [sequence, threads, steps] = [Number(options.sequence), Number(options.threads), Number(options.steps)];
  const batchSize = Number(options.batch ?? model.batch);
  const layers = Number(options.layers ?? model.layers);
  const methods = methodsOf(model.targets);
  const shapes = await Promise.all(
    (options.shapes ?? model.shapes).split(',').map(async (shape) => ({
      shape,
      ...(shape === 'full'
        ? { lengths: [sequence], prompts: [0] }
        : await lengthsOfTexts(shapeOf(shape), options, sequence)),
    })),
  );
  const results: Result[] = [];
  const refusals = new Set<string>();
  let versions: Record<string, string> = {};
  try {
    await model.write(folder, layers);
    for (const name of (options.methods ?? model.methods).split(',')) {
      const [title, method] = [named(titles, 'methods', name), named(methods, 'methods', name)];
      for (const { shape, lengths, prompts } of shapes) {
        const { objective } = model;
        const work: Work = {
          folder,
          objective,
          method,
          steps,
          warmup: 2,
          batchSize,
          lengths,
          prompts,
          threads,
        };
        const peerMethod = method.type === 'bottleneck' ? { type: 'bottleneck', size: 64 } : method;
        const peer = (more: object) => {
          const own = { ...work, labels: labels.length, method: peerMethod, ...more };
          return lastLine(python ?? '', [above('test/benchmarks/peer.py'), JSON.stringify(own)]);
        };
        const found = python === null ? null : peerSchema.parse(await peer({}));
        if (found && 'refused' in found) refusals.add(`${title}: ${found.refused}`);
        const spelling = found && 'spelling' in found ? found.spelling : null;
        // Where weights stay frozen, the steps by products in 8 bits stand beside the same other side.
        const kinds = [{ title, more: {}, ours: [] as Measurement[] }];
        if (name !== 'full') kinds.push({ title: `${title}; in 8 bits`, more: { loadIn8bit: true }, ours: [] });
        const theirs: Measurement[] = [];
        for (let round = 0; round < Number(options.rounds); round++) {
          for (const { ours, more } of kinds) ours.push(await measureApart({ ...work, ...more }));
          if (spelling !== null) theirs.push(measurementSchema.parse(await peer({ spelling })));
          process.stderr.write(`${title}, ${shape}: round ${round + 1} of ${options.rounds}\n`);
        }
        versions = { ...versions, ...theirs[0]?.versions };
        // Real tokens a measured step, padding not counted.
        const tokens =
          Array.from({ length: steps }, (_, step) => lengthsOf(step + work.warmup, batchSize, lengths))
            .flat()
            .reduce((sum, length) => sum + length, 0) / steps;
        for (const kind of kinds)
          results.push({
            shape:
              shape === 'full' ? `${batchSize} × ${sequence}` : `${batchSize} ${shape}, ${Math.round(tokens)} tokens`,
            tokens,
            method: kind.title,
            ours: summarize(kind.ours),
            theirs: theirs.length === 0 ? null : summarize(theirs),
            spelling:
              spelling === null ? null : `${spelling.attention}, ${spelling.fused ? 'fused' : 'ordinary'} AdamW`,
          });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const machine = await machineLines(threads, versions);
  console.log(machine);
  console.log(
    `${model.title}, ${layers} layers; dropout 0; AdamW, clipping 1; medians of ${options.rounds} × ${options.steps} steps\n`,
  );
  console.log(resultTable(results));
  for (const refusal of refusals) console.log(`\n${refusal}`);
  if (python === null)
    console.log('\nNo Python with torch, transformers and peft was found: our side only. Name one by --python PATH.');
  if (options.out !== undefined)
    await writeFile(options.out, `${JSON.stringify({ machine, batchSize, sequence, layers, results }, null, 2)}\n`);
}

/** What `--shapes` names beside full rows. */
function shapeOf(word: string): Shape {
  if (word !== 'texts' && word !== 'instructions')
    throw new Error(`--shapes has "${word}"; it takes full, texts and instructions.`);
  return word;
}

function resultTable(results: readonly Result[]): string {
  const head = 'method,batch,ours ms,PyTorch ms,ratio,processor: ours ms,PyTorch ms,ratio,tokens/s,PyTorch,';
  return table([
    `${head}peak memory: ours MB,PyTorch MB,ratio,first loss,PyTorch,PyTorch runs with`.split(','),
    ...results.map(({ method, shape, tokens, ours, theirs, spelling }) => [
      method,
      shape,
      milliseconds(ours.seconds),
      milliseconds(theirs?.seconds),
      ratio(ours.seconds, theirs?.seconds),
      milliseconds(ours.cpuSeconds),
      milliseconds(theirs?.cpuSeconds),
      ratio(ours.cpuSeconds, theirs?.cpuSeconds),
      (tokens / ours.seconds).toFixed(0),
      theirs === null ? '–' : (tokens / theirs.seconds).toFixed(0),
      megabytes(ours.peakMemoryBytes),
      megabytes(theirs?.peakMemoryBytes),
      ratio(ours.peakMemoryBytes ?? NaN, theirs?.peakMemoryBytes),
      ours.loss.toFixed(5),
      theirs === null ? '–' : theirs.loss.toFixed(5),
      spelling ?? '–',
    ]),
  ]);
}

await start(main);
