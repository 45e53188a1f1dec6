/** `npm start`: prepares, builds and opens the studio. Arguments after `--` go to Electron. */
import { spawn } from 'node:child_process';
import { buildAll } from './build.mjs';
import { prepare } from './prepare.mjs';
import { fail, root, say } from './tools.mjs';

async function start() {
  const { electron } = await prepare();
  await buildAll();
  const args = [root, ...process.argv.slice(2)];
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    say(
      "Chromium's sandbox does not run as root: starting without it. Use an ordinary account for anything but trials.",
    );
    args.unshift('--no-sandbox');
  }
  const child = spawn(electron, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
}

start().catch(fail);
