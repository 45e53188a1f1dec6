#!/usr/bin/env node
/** The command `peft-studio`: in a checkout it first builds what it needs (chatter goes to stderr), then runs the built command. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));
const prepareModule = new URL('../dev/prepare.mjs', import.meta.url);

if (existsSync(fileURLToPath(prepareModule))) {
  const { fail } = await import('../dev/tools.mjs');
  try {
    const { prepare } = await import('../dev/prepare.mjs');
    const { buildAll } = await import('../dev/build.mjs');
    await prepare({ window: false });
    await buildAll({ window: false });
  } catch (error) {
    // Whoever reads JSON lines gets this failure as one, too.
    if (process.argv.includes('--json')) {
      process.stdout.write(
        `${JSON.stringify({ event: 'error', message: String(error instanceof Error ? error.message : error), hint: null })}\n`,
      );
    }
    fail(error);
    process.exit(1);
  }
}
createRequire(import.meta.url)(built);
