/**
 * Greedy text by a decoder: seconds to the first token, tokens a second and peak memory, and beside them transformers' generate() with
 * its cache where a Python has it. Processes alternate, medians are compared, and both must write the same tokens.
 *
 * Options: --folder FOLDER (a decoder) --prompt 64 --tokens 64 --rounds 3 --threads N --python PATH (or PEFT_STUDIO_PYTHON)
 */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { createGenerator, openModel } from '../../electron/engine/index.js';

const execute = promisify(execFile);
const self = fileURLToPath(import.meta.url);
const workSchema = z.object({ folder: z.string(), prompt: z.number(), tokens: z.number(), threads: z.number() });
type Work = z.infer<typeof workSchema>;
const measuredSchema = z.object({
  secondsToFirst: z.number(),
  tokensPerSecond: z.number(),
  peakMemoryBytes: z.number(),
  written: z.array(z.number()),
  versions: z.record(z.string(), z.string()),
});
type Measured = z.infer<typeof measuredSchema>;

/** The prompt by a rule that the peer repeats. */
const promptOf = (length: number, vocabularySize: number) =>
  Array.from({ length }, (_, i) => 100 + ((i * 7919) % (vocabularySize - 100)));

/** Writes twice and times the second text: the first call of a session plans its memory. */
async function measure({ folder, prompt, tokens, threads }: Work): Promise<Measured> {
  const model = await openModel(folder);
  const method = { type: 'head' };
  const generator = await createGenerator({ model, method, parameters: new Map(), seed: 1, device: 'cpu', threads });
  const ids = promptOf(prompt, model.vocabularySize);
  let written: number[] = [];
  let [first, last] = [0, 0];
  for (let round = 0; round < 2; round++) {
    written = [];
    const started = performance.now();
    for await (const token of generator.generate(ids, { maxNewTokens: tokens })) {
      last = (performance.now() - started) / 1000;
      if (written.length === 0) first = last;
      written.push(token);
    }
  }
  await generator.dispose();
  return {
    secondsToFirst: first,
    tokensPerSecond: (written.length - 1) / (last - first),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    written,
    versions: { node: process.versions.node },
  };
}

async function lastLine(command: string, args: readonly string[]): Promise<Measured> {
  const { stdout } = await execute(command, args, { maxBuffer: 64 * 1024 * 1024 });
  return measuredSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null'));
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      folder: { type: 'string' },
      prompt: { type: 'string', default: '64' },
      tokens: { type: 'string', default: '64' },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: String(Math.min(availableParallelism(), 16)) },
      python: { type: 'string' },
    },
  });
  if (options.folder === undefined) throw new Error('--folder is missing: a Hugging Face folder of a decoder.');
  const python = options.python ?? process.env.PEFT_STUDIO_PYTHON;
  const work: Work = {
    folder: options.folder,
    prompt: Number(options.prompt),
    tokens: Number(options.tokens),
    threads: Number(options.threads),
  };
  const peer = join(self, '../../../test/benchmarks/generation_peer.py');
  const sides: Measured[][] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    sides[0]?.push(await lastLine(process.execPath, [self, 'worker', JSON.stringify(work)]));
    if (python !== undefined) sides[1]?.push(await lastLine(python, [peer, JSON.stringify(work)]));
    process.stderr.write(`round ${round + 1} of ${options.rounds}\n`);
  }
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? ''}, ${work.threads} threads, ${platform()}; ${work.prompt} tokens of prompt, ${work.tokens} new, greedy; medians of ${options.rounds}`,
  );
  const names = ['ours', 'transformers'];
  for (const [at, rounds] of sides.entries()) {
    if (rounds.length === 0) continue;
    const of = (key: 'secondsToFirst' | 'tokensPerSecond' | 'peakMemoryBytes') => median(rounds.map((one) => one[key]));
    console.log(
      `${names[at]}: ${of('tokensPerSecond').toFixed(1)} tokens/s, first after ${of('secondsToFirst').toFixed(2)} s, peak ${(of('peakMemoryBytes') / 1e6).toFixed(0)} MB (${Object.entries(
        rounds[0]?.versions ?? {},
      )
        .map((entry) => entry.join(' '))
        .join(', ')})`,
    );
  }
  const [ours = [], theirs = []] = sides;
  if (theirs.length === 0)
    return console.log('No Python was named: our side only. Name one with transformers by --python PATH.');
  const speed = (rounds: readonly Measured[]) => median(rounds.map((one) => one.tokensPerSecond));
  const same = String(ours[0]?.written) === String(theirs[0]?.written);
  console.log(
    `time a token, ours to transformers': ${(speed(theirs) / speed(ours)).toFixed(2)}; ${same ? 'the same tokens' : 'THE TOKENS DIFFER'}`,
  );
  if (!same) process.exitCode = 1;
}

if (process.argv[2] === 'worker')
  console.log(JSON.stringify(await measure(workSchema.parse(JSON.parse(process.argv[3] ?? 'null')))));
else await main();
