/** Readers against a small number of damaged and hostile inputs; `npm run fuzz -- --count 100000` is the long session. */
import { execFile } from 'node:child_process';
import { expect, it } from 'vitest';

/** The session's exit code and output; it runs in processes of its own, which may hang or die. */
const session = (...args: readonly string[]) =>
  new Promise<{ code: number; output: string }>((done) => {
    execFile(process.execPath, ['test/fuzz/run.mjs', ...args], { maxBuffer: 1 << 26 }, (error, output, errors) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output: output + errors }),
    );
  });

it('reads or refuses each input of each reader in words', { timeout: 600_000 }, async () => {
  const { code, output } = await session('--count', process.env['FUZZ_COUNT'] ?? '200');
  expect(output).toMatch(/inputs of 18 readers in \d+ s, 0 findings/);
  expect(code).toBe(0);
});

it(
  'finds a reader that hangs, dies, throws anything, writes elsewhere or takes memory',
  { timeout: 600_000 },
  async () => {
    const { code, output } = await session('--reader', 'faulty', '--count', '8', '--seconds', '2');
    expect(code).toBe(1);
    for (const words of [
      /took over 2 s/,
      /ended the process \(SIGABRT\)/,
      /no typed error: TypeError: not typed/,
      /an error without a remedy/,
      /wrote outside its folder/,
      ...(process.platform === 'linux' ? [/MiB in memory for \d+ bytes/] : []),
    ])
      expect(output).toMatch(words);
  },
);
