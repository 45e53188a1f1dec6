/**
 * Resident memory of the trainer and of the command over a long run, as the app trains it: validations, checkpoints and metrics included.
 *
 * Options: --steps 10000 --method lora --batch 8 --every 1000 --parts 10
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { metrics, openDatabase } from '../../electron/storage/index.js';
import { commandIn, sampleWords } from './command.js';
import { above, defaultThreads, machineLines, median, megabytes, start, table } from './report.js';

const stepSchema = z.object({ event: z.literal('step'), step: z.number() });
const resultSchema = z.object({ event: z.literal('result'), run: z.number() });

/** Resident bytes of a process of this machine; null where the system does not tell. */
function residentOf(processId: number): number | null {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return null;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '10000' },
      method: { type: 'string', default: 'lora' },
      batch: { type: 'string', default: '8' },
      every: { type: 'string', default: '1000' },
      parts: { type: 'string', default: '10' },
    },
  });
  const steps = Number(values.steps);
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-steps-'));
  try {
    const home = join(folder, 'home');
    const command = commandIn(home);
    await command(['model', 'add', above('native-assets/starter-model'), '--name', 'base']);
    await command(['data', 'add', ...sampleWords(), '--name', 'rows']);
    const training = { maxSteps: steps, batchSize: Number(values.batch), validateEverySteps: Number(values.every) };
    const plan = { model: 'base', data: 'rows', method: { type: values.method }, training, device: 'cpu' };
    await writeFile(join(folder, 'plan.json'), JSON.stringify(plan));
    const held = new Map<number, number>();
    let run = 0;
    const seconds = await command(['run', join(folder, 'plan.json')], (line, _, processId) => {
      const event: unknown = JSON.parse(line);
      const step = stepSchema.safeParse(event);
      // What the command prints it printed a moment ago: near enough for a curve of its memory.
      const bytes = step.success && step.data.step % 50 === 0 ? residentOf(processId) : null;
      if (step.success && bytes !== null) held.set(step.data.step, bytes);
      const result = resultSchema.safeParse(event);
      if (result.success) run = result.data.run;
    });
    const { database } = await openDatabase(home);
    const history = await metrics.readHistory(database, run, 0);
    await database.close();
    const parts = Number(values.parts);
    const rows = Array.from({ length: parts }, (_, part) => {
      const within = (step: number) => step > (part * steps) / parts && step <= ((part + 1) * steps) / parts;
      const trainer = history.steps.filter(({ step }) => within(step)).map(({ memoryBytes }) => memoryBytes);
      const own = [...held].filter(([step]) => within(step)).map(([, bytes]) => bytes);
      return [
        `${(part * steps) / parts + 1} to ${((part + 1) * steps) / parts}`,
        megabytes(median(trainer)),
        megabytes(Math.max(...trainer)),
        own.length === 0 ? '–' : megabytes(median(own)),
      ];
    });
    console.log(await machineLines(Number(defaultThreads), {}));
    console.log(`${values.method}, batches of ${values.batch}, ${steps} steps in ${seconds.toFixed(0)} s\n`);
    console.log(table([['steps', 'trainer, median MB', 'trainer, most MB', 'command, median MB'], ...rows]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await start(main);
