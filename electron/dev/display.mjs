/** A virtual display for Linux without one: tests, screenshots, and a start where nobody sits. */
import { spawn } from 'node:child_process';

/** @param {NodeJS.ProcessEnv} env @returns {boolean} Whether a window can only be opened on a virtual display. */
export const lacksDisplay = (env) => process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY;

/**
 * Starts Xvfb on a free display number, unless there is a display already.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{env: NodeJS.ProcessEnv, stop: () => void}>} Environment for children, and the end of the display.
 */
export async function openDisplay(env = process.env) {
  if (process.platform !== 'linux' || env.DISPLAY) return { env, stop: () => {} };
  // Without -noreset it starts anew when its last client leaves, and has been seen to lose the client that comes just then.
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise((resolve, reject) => {
    let text = '';
    server.stdio[3].on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.trim());
    });
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`Xvfb ended at once (${code})`)));
  });
  server.unref();
  return { env: { ...env, DISPLAY: `:${number}` }, stop: () => server.kill() };
}
