/** The real command, bundled as the app's build does it, run as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { bundlePrograms } from './bundle.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Two levels below the checkout, where the programs look for native-assets and node_modules.
export const commandFolder = join(root, 'dist', `.test-${process.pid}`);
const eventSchema = z.looseObject({ event: z.string() });
export type PrintedEvent = z.infer<typeof eventSchema>;

/** @param more programs to build beside it, by name */
export async function buildCommand(more: Readonly<Record<string, string>> = {}): Promise<void> {
  await mkdir(commandFolder, { recursive: true });
  await bundlePrograms({ cli: 'electron/cli/main.ts', trainer: 'electron/trainer/main.ts', ...more }, commandFolder);
}

export const removeCommand = () => rm(commandFolder, { recursive: true, force: true });

export interface Ended {
  readonly code: number | null;
  /** Every line of stdout, which must be one JSON object each. */
  readonly events: PrintedEvent[];
  readonly stderr: string;
}

/** Runs `peft-studio WORDS --json`, with `variables` added to the environment, as another `user` (root only) where named; `onEvent` may end the process. */
export function runCommand(
  words: readonly string[],
  onEvent: (event: PrintedEvent, child: ChildProcess) => void = () => undefined,
  variables: Readonly<Record<string, string>> = {},
  user?: number,
): Promise<Ended> {
  const child = spawn(process.execPath, [join(commandFolder, 'cli.cjs'), ...words, '--json'], {
    cwd: root,
    env: { ...process.env, ...variables },
    ...(user === undefined ? {} : { uid: user, gid: user }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: PrintedEvent[] = [];
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      try {
        const event = eventSchema.parse(JSON.parse(line));
        events.push(event);
        onEvent(event, child);
      } catch (error) {
        child.kill('SIGKILL');
        reject(new Error(`Not an event: ${line}`, { cause: error }));
      }
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, events, stderr }));
  });
}
