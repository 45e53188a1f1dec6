/** What the benchmarks share: a process of its own for each measurement, medians, the machine, tables. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { trainerEnvironment } from '../../electron/studio/trainer-port.js';
import { measure, measurementSchema, workSchema, type Measurement, type Work } from './worker.js';

const execute = promisify(execFile);
const self = fileURLToPath(import.meta.url);

/** The last line that a command prints, as JSON. */
export async function lastLine(command: string, args: readonly string[], env = process.env): Promise<unknown> {
  const { stdout } = await execute(command, args, { maxBuffer: 64 * 1024 * 1024, env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}

/** Our side of one measurement, in a process of its own as the app's trainer is: this bundle, started as a worker. */
export async function measureApart(work: Work): Promise<Measurement> {
  const words = [self, 'worker', JSON.stringify(work)];
  return measurementSchema.parse(await lastLine(process.execPath, words, trainerEnvironment()));
}

/** Runs the benchmark, or where this process is a worker, its measurement. */
export async function start(main: () => Promise<void>): Promise<void> {
  if (process.argv[2] !== 'worker') return main();
  console.log(JSON.stringify(await measure(workSchema.parse(JSON.parse(process.argv[3] ?? 'null')))));
}

/** A Python with the packages, or null where none was asked for and none is found: then only our side is measured. */
export async function findPython(wanted: string | undefined): Promise<string | null> {
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
export function above(file: string): string {
  for (let folder = join(self, '..'); ; folder = join(folder, '..')) {
    const path = join(folder, file);
    if (existsSync(path)) return path;
    if (folder === join(folder, '..'))
      throw new Error(`${file} was not found above the benchmark bundle; run it inside a checkout.`);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export interface Side {
  readonly seconds: number;
  /** Of the process's threads together: what a step takes of the processor, whoever else uses it. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number | null;
  readonly loss: number;
  readonly trainable: number;
}

/** Medians over all rounds' steps; memory is the largest of the rounds. */
export function summarize(rounds: readonly Measurement[]): Side {
  const first = rounds[0];
  if (first === undefined) throw new Error('no round was measured');
  return {
    seconds: median(rounds.flatMap((round) => round.seconds)),
    cpuSeconds: median(rounds.flatMap((round) => round.cpuSeconds)),
    peakMemoryBytes: rounds.reduce<number | null>(
      (peak, round) => (peak === null || round.peakMemoryBytes === null ? null : Math.max(peak, round.peakMemoryBytes)),
      0,
    ),
    loss: first.losses[0] ?? NaN,
    trainable: first.trainable,
  };
}

export function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head, ...body] = rows;
  return head === undefined ? '' : [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

export const megabytes = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined ? '–' : (bytes / 1e6).toFixed(0);
export const milliseconds = (seconds: number | undefined) =>
  seconds === undefined ? '–' : (seconds * 1000).toFixed(0);
export const ratio = (ours: number, theirs: number | null | undefined) =>
  theirs === null || theirs === undefined ? '–' : (ours / theirs).toFixed(2);

export const defaultThreads = String(Math.min(availableParallelism(), 16));

/** Date, processor, threads, memory and how busy the machine is, then versions. */
export async function machineLines(threads: number, versions: Readonly<Record<string, string>>): Promise<string> {
  const file = fileURLToPath(import.meta.resolve('onnxruntime-node/package.json'));
  const runtime = z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8'))).version;
  const all = { ...versions, node: process.versions.node, 'onnxruntime-node': runtime };
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${threads} of ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${platform()} ${release()}; load ${loadavg()[1]?.toFixed(1)}`;
  const named = Object.entries(all).map(([name, version]) => `${name} ${version}`);
  return `${new Date().toISOString().slice(0, 10)}, ${machine}\n${named.join(', ')}`;
}
