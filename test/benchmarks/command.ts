/** Whole processes as a benchmark watches them: the peer's, and the command as users have it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { above } from './report.js';

type Read = (line: string, seconds: number, processId: number) => void;
/** Runs `peft-studio WORDS --json` on one data folder; the seconds it took. */
export type Command = (words: readonly string[], read?: Read) => Promise<number>;

/** Runs a process; `read` is given each line it prints with the seconds since its start. @throws Error with its words where it fails */
export async function watch(command: string, words: readonly string[], read: Read): Promise<number> {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  const keep = (text: string) => (told = `${told}${text}\n`.slice(-2000));
  child.stderr.on('data', (text: Buffer) => keep(text.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    keep(line);
    read(line, since(), child.pid ?? 0);
  });
  const code = await new Promise<number | null>((done, failed) => child.on('close', done).on('error', failed));
  if (code !== 0) throw new Error(`${[command, ...words].join(' ')} ended with ${code}: ${told}`);
  return since();
}

export const commandIn =
  (home: string): Command =>
  (words, read = () => undefined) =>
    watch(process.execPath, [above('dist/bench-command/cli.cjs'), ...words, '--home', home, '--json'], read);

/** The bundled sample as `data add` takes it. */
export const sampleWords = (): string[] => [
  above('native-assets/samples/wordnet-domains.csv'),
  '--text',
  'definition',
  '--label',
  'domain',
  '--split-column',
  'split',
];
