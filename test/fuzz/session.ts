/**
 * A fuzzing session: inputs are read in a process of their own with little memory, watched from here. An input that hangs it,
 * kills it, is refused without a typed error, takes memory that it cannot justify or leads a reader to write elsewhere is told
 * with reader and seed, and kept in dist/fuzz-findings for repeating.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Part, Told } from './child.js';
import { keepInput, keptAs } from './kept.js';
import { faultySubject } from './subjects/faulty.js';
import { subjects } from './subjects/index.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    reader: { type: 'string' },
    /** One input, told at length. */
    only: { type: 'string' },
  },
});
/** An input may take so long of the processor's time, or many times as long on the clock; the process gets longer to begin. */
const mostMilliseconds = Number(values.seconds) * 1000;
const clockAgainstProcessor = 20;
const millisecondsToBegin = 300_000;
const inputsAProcess = 4000;
const heapMegabytes = 256;
/** A reader that fails everywhere needs no more examples. */
const mostFindings = 12;

interface Tally {
  read: number;
  refused: number;
  findings: number;
  slowest: number;
  slowestSeed: number;
  largest: number;
}

/** Milliseconds of the processor that a process has used; elsewhere than on Linux those on the clock. */
function processorTime(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return process.platform === 'linux' ? 0 : Date.now();
  }
}

function sandboxOf(): string {
  const sandbox = mkdtempSync(join(tmpdir(), 'fuzz-'));
  for (const folder of ['home', 'tmp', 'a/b/c/d']) mkdirSync(join(sandbox, folder), { recursive: true });
  for (const place of ['canary', 'home/canary', 'a/b/canary', 'a/b/c/d/canary'])
    writeFileSync(join(sandbox, place), 'tweet');
  return sandbox;
}

/** What is still to be read: the first part from its next input on. */
const left = ([first, ...rest]: readonly Part[], reader: string, next: number): Part[] => {
  if (first === undefined) return [];
  const end = first.first + first.count;
  if (first.reader !== reader) return left(rest, reader, next);
  return next >= end ? rest : [{ reader, first: next, count: end - next }, ...rest];
};

/** Reads inputs until they are done, or the process hangs or dies; returns what is left. */
function readParts(parts: readonly Part[], sandbox: string, tallyOf: (reader: string) => Tally): Promise<Part[]> {
  return new Promise((done, fail) => {
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${heapMegabytes}`, join(__dirname, 'child.cjs'), sandbox, JSON.stringify(parts)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          HOME: join(sandbox, 'home'),
          TMPDIR: join(sandbox, 'work'),
          // glibc reserves memory for each thread, which would be taken for the reader's.
          MALLOC_ARENA_MAX: '2',
        },
      },
    );
    let current: Told | null = null;
    let rest = [...parts];
    let begun = Date.now();
    let workedBefore = 0;
    let hung = false;
    let words = '';
    child.stderr.on('data', (piece: Buffer) => {
      words = `${words}${piece.toString()}`.slice(-3000);
    });
    const watch = setInterval(() => {
      const clock = Date.now() - begun;
      const worked = current === null ? 0 : processorTime(child.pid ?? 0) - workedBefore;
      const patience = current === null ? millisecondsToBegin : mostMilliseconds * clockAgainstProcessor;
      if (worked < mostMilliseconds && clock < patience) return;
      hung = true;
      child.kill('SIGKILL');
    }, 200);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{"reader"')) return;
      const told = JSON.parse(line) as Told;
      const tally = tallyOf(told.reader);
      if (told.end === 'begun') {
        current = told;
        begun = Date.now();
        workedBefore = processorTime(child.pid ?? 0);
        return;
      }
      if (told.end === 'finding') say(told, told.what ?? '', tally);
      else tally[told.end] += 1;
      if (Date.now() - begun > tally.slowest) {
        tally.slowest = Date.now() - begun;
        tally.slowestSeed = told.seed;
      }
      tally.largest = Math.max(tally.largest, told.megabytes ?? 0);
      current = null;
      begun = Date.now();
      rest = left(rest, told.reader, told.seed + 1);
    });
    child.once('close', (code, signal) => {
      clearInterval(watch);
      if (current !== null) {
        const why = hung ? `took over ${mostMilliseconds / 1000} s` : `ended the process (${code ?? signal}): ${words}`;
        keepInput(sandbox, current.reader, current.seed);
        say(current, why, tallyOf(current.reader));
        rest = left(rest, current.reader, current.seed + 1);
      } else if (code !== 0 || hung)
        return fail(new Error(`The process ended (${code ?? signal}) with no input at hand: ${words}`));
      done(rest);
    });
  });
}

function say({ reader, seed }: Told, what: string, tally: Tally): void {
  const folder = keptAs(reader, seed);
  writeFileSync(`${folder}.txt`, what);
  tally.findings += 1;
  console.log(
    `FINDING ${reader}, seed ${seed}: ${what.slice(0, 700)}\n  ${folder}\n  again: npm run fuzz -- --reader ${reader} --only ${seed}`,
  );
}

/** As many parts as one process takes; a long one is cut. */
function portion(parts: readonly Part[]): Part[] {
  const taken: Part[] = [];
  let room = inputsAProcess;
  for (const part of parts) {
    if (room <= 0) break;
    taken.push({ ...part, count: Math.min(part.count, room) });
    room -= part.count;
  }
  return taken;
}

function tellTally(reader: string, first: number, tally: Tally): void {
  const { read, refused, findings, slowest, slowestSeed, largest } = tally;
  const total = read + refused + findings;
  console.log(
    `${reader}: ${total} inputs (seeds ${first} to ${first + total - 1}), ${read} read, ${refused} refused, ${findings} findings; ` +
      `slowest ${slowest} ms (seed ${slowestSeed}), most memory ${largest} MiB`,
  );
}

async function session(): Promise<boolean> {
  const chosen = [...subjects, faultySubject].filter(({ name }) =>
    values.reader === undefined ? name !== faultySubject.name : values.reader === name,
  );
  if (chosen.length === 0) throw new Error(`--reader takes one of ${subjects.map(({ name }) => name).join(', ')}.`);
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const first = Number(values.only ?? values.seed);
  const countOf = (share: number) =>
    values.only === undefined ? Math.max(1, Math.ceil((Number(values.count) * share) / shares)) : 1;
  const tallies = new Map<string, Tally>();
  const tallyOf = (reader: string) => {
    const tally = tallies.get(reader) ?? { read: 0, refused: 0, findings: 0, slowest: 0, slowestSeed: 0, largest: 0 };
    tallies.set(reader, tally);
    return tally;
  };
  let parts: readonly Part[] = chosen.map(({ name, share }) => ({ reader: name, first, count: countOf(share) }));
  const begun = Date.now();
  while (parts.length > 0) {
    const sandbox = sandboxOf();
    const now = portion(parts);
    try {
      // What the process did not come to, and what it was not given.
      const rest = await readParts(now, sandbox, tallyOf);
      const last = now.at(-1);
      const after = parts
        .slice(now.length - 1)
        .map((part) =>
          last !== undefined && part.reader === last.reader
            ? { ...part, first: last.first + last.count, count: part.first + part.count - last.first - last.count }
            : part,
        );
      parts = [...rest, ...after].filter(({ count, reader }) => count > 0 && tallyOf(reader).findings < mostFindings);
    } finally {
      for (const { reader } of now)
        if (!parts.some((part) => part.reader === reader)) tellTally(reader, first, tallyOf(reader));
      rmSync(sandbox, { recursive: true, force: true });
    }
  }
  const sum = (key: 'read' | 'refused' | 'findings') =>
    [...tallies.values()].reduce((all, tally) => all + tally[key], 0);
  const findings = sum('findings');
  console.log(
    `${sum('read') + sum('refused') + findings} inputs of ${tallies.size} readers in ${Math.round((Date.now() - begun) / 1000)} s, ${findings} findings.`,
  );
  return findings === 0;
}

session().then(
  (clean) => {
    process.exitCode = clean ? 0 : 1;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
