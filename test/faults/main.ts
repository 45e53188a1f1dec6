/** Strikes the app with faults, one after another, and tells of each what became of it. Started by run.mjs. */
import { parseArgs } from 'node:util';
import { kinds } from './kinds.js';
import { Session } from './session.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    work: { type: 'string' },
    minutes: { type: 'string', default: '1440' },
  },
});
const only = values.only?.split(',');
const chosen = only ? kinds.filter(({ name }) => only.includes(name)) : kinds;
if (chosen.length === 0) {
  console.error(`--only ${values.only}: there are ${kinds.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const session = await Session.open(chosen, values.work ?? null);
process.once('SIGINT', () => session.stop());
process.once('SIGTERM', () => session.stop());
try {
  const lost = await session.strike(Number(values.count), Number(values.seed), Number(values.minutes) * 60_000);
  process.exitCode = lost > 0 ? 1 : 0;
} finally {
  await session.close();
}
// A fault that was lost may have left a copy of the app open, which would keep this process.
process.exit();
