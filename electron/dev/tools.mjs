/** Small helpers of the scripts in this folder. They talk on stderr: stdout belongs to the command a user asked for. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** What was fetched or built once serves every checkout of this user. */
export const cacheFolder = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'peft-studio');

/** @param {string} text One line for the person who waits. */
export const say = (text) => process.stderr.write(`peft-studio: ${text}\n`);

/** A failure with its remedy: shown without a stack. */
export class PrepareError extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(`${message}\n  ${hint}`);
    this.name = 'PrepareError';
  }
}

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, timeout?: number, quiet?: boolean}} [options]
 * `quiet` keeps the output for the result; otherwise it goes to stderr as it comes.
 * @returns {Promise<{code: number, output: string}>} 127 when the command does not exist.
 */
export function runCommand(command, args, { cwd = root, env = process.env, timeout, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, timeout, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        chunks.push(chunk);
        if (!quiet) process.stderr.write(chunk);
      });
    }
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** @param {string} file @param {string} algorithm @returns {Promise<string>} The file's digest in base64. */
export async function digestOf(file, algorithm) {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('base64');
}

/** @param {string} url The calling module's `import.meta.url`. @returns {boolean} Whether that module is the program. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === path.resolve(process.argv[1]);

/** Ends the program with the error's words, or with its stack when it is a bug. @param {unknown} error */
export function fail(error) {
  say(
    error instanceof PrepareError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error),
  );
  process.exitCode = 1;
}
