/**
 * The process that reads: inputs of subjects by their seeds, one after the other. What it says stands on single lines of its
 * output, written at once, so that who watches knows which input it hung or died at.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StudioError } from '../../electron/contract/errors.js';
import { EngineError } from '../../electron/engine/index.js';
import { treeOf } from './canary.js';
import { inputOf, inputsOf } from './input.js';
import { chosenIn, keepInput } from './kept.js';
import type { FileSet } from './subject.js';
import { faultySubject } from './subjects/faulty.js';
import { subjects } from './subjects/index.js';

/** What the child says of an input. */
export interface Told {
  readonly reader: string;
  readonly seed: number;
  readonly end: 'begun' | 'read' | 'refused' | 'finding';
  readonly what?: string;
  readonly megabytes?: number;
}

const tell = (told: Told) => writeSync(1, `${JSON.stringify(told)}\n`);

/** Beyond this and what a file of its size may take in memory, an allocation is a finding. */
const spareBytes = 160 << 20;
const bytesAByte = 48;

function memory(): { now: number; most: number; reserved: number } {
  const text = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0) * 1024;
  return { now: kilobytes('VmRSS'), most: kilobytes('VmHWM'), reserved: kilobytes('VmPeak') };
}
const measured = process.platform === 'linux';
/** The most that is in memory counts anew from here. */
const mark = () => {
  if (measured) writeFileSync('/proc/self/clear_refs', '5');
  return measured ? memory() : null;
};

function write(folder: string, files: FileSet): number {
  rmSync(folder, { recursive: true, force: true });
  let bytes = 0;
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
    bytes += content.length;
  }
  return bytes;
}

/** Why an error is not what a user should get; null where it is. */
function untyped(error: unknown): string | null {
  if (!(error instanceof StudioError) && !(error instanceof EngineError))
    return `no typed error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  if (error.code === 'internal') return `an internal error: ${error.stack}`;
  if (error.message === '') return 'an error without a message';
  if (error.hint === null || error.hint === '') return `an error without a remedy: ${error.message.slice(0, 300)}`;
  if (error.message.length > 4000) return `a message of ${error.message.length} characters`;
  return null;
}

/** Inputs of one subject. */
export interface Part {
  readonly reader: string;
  readonly first: number;
  readonly count: number;
}

async function readPart({ reader: name, first, count }: Part, sandbox: string): Promise<void> {
  const subject = [...subjects, faultySubject].find((one) => one.name === name);
  if (!subject) throw new Error(`no reader is called ${name}`);
  const work = resolve(sandbox, 'work', name);
  const folder = resolve(chosenIn(sandbox));
  mkdirSync(work, { recursive: true });
  const seeds = await subject.seeds(work);
  const inputs = inputsOf(subject, seeds);
  for (const seed of seeds) {
    write(folder, seed);
    await subject.read(folder).catch((error: unknown) => {
      throw new Error(`A whole input of "${name}" is not read.`, { cause: error });
    });
  }
  let canary = treeOf(sandbox);
  for (let seed = first; seed < first + count; seed += 1) {
    const bytes = write(folder, inputOf(inputs, seed));
    tell({ reader: name, seed, end: 'begun' });
    const before = mark();
    const findings: string[] = [];
    let end: 'read' | 'refused' = 'read';
    try {
      await subject.read(folder);
    } catch (error) {
      end = 'refused';
      const why = untyped(error);
      if (why !== null) findings.push(why);
    }
    const after = before && memory();
    const allowed = spareBytes + bytes * bytesAByte;
    if (before && after) {
      if (after.most - before.now > allowed)
        findings.push(`${Math.round((after.most - before.now) / 2 ** 20)} MiB in memory for ${bytes} bytes`);
      if (after.reserved - before.reserved > 4 * allowed)
        findings.push(`${Math.round((after.reserved - before.reserved) / 2 ** 20)} MiB asked for, for ${bytes} bytes`);
    }
    const around = treeOf(sandbox);
    const changed = [
      ...[...around].filter((one) => !canary.has(one)),
      ...[...canary].filter((one) => !around.has(one)),
    ];
    if (changed.length > 0) findings.push(`wrote outside its folder: ${changed.join(', ')}`);
    canary = around;
    if (findings.length > 0) {
      keepInput(sandbox, name, seed);
      tell({ reader: name, seed, end: 'finding', what: findings.join('\n') });
    } else
      tell({
        reader: name,
        seed,
        end,
        ...(before && after ? { megabytes: Math.max(0, after.most - before.now) >> 20 } : {}),
      });
  }
}

async function main(sandbox: string, parts: readonly Part[]): Promise<void> {
  for (const part of parts) await readPart(part, sandbox);
  process.exit(0);
}

// A promise that nobody waits for is a fault as well.
process.on('unhandledRejection', (error) => {
  throw error;
});
const [sandbox = '', parts = '[]'] = process.argv.slice(2);
void main(sandbox, JSON.parse(parts) as Part[]);
