/** The result of a plan that was taken to peft, as train.py writes it, of answers that are known. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scores } from '../../electron/contract/entities.js';

type Told = Readonly<Record<string, unknown>>;
interface Answers {
  /** Of every test row in the split's order, of every label in their order. */
  readonly logits: readonly (readonly number[])[];
  readonly test: Scores | null;
  readonly validation: Scores | null;
}

/** Writes result.json and setup.json into `out`, a folder that is there, for the project in `folder`. Returns what result.json holds. */
export async function writeResult(folder: string, out: string, { logits, test, validation }: Answers): Promise<Told> {
  const setup = await readFile(join(folder, 'setup.json'));
  await writeFile(join(out, 'setup.json'), setup);
  const step = { step: 1, loss: 1.1, learningRate: 0.01, gradientNorm: 1, seconds: 0.5 };
  const measures = (scores: Scores | null) =>
    Object.fromEntries(Object.entries(scores ?? {}).filter(([, value]) => typeof value === 'number' || value === null));
  const told = {
    format: 'peft-studio-result',
    version: 1,
    setup: createHash('sha256').update(setup).digest('hex'),
    plan: JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as Told,
    versions: { python: '3.11', torch: '2' },
    device: 'cluster',
    processes: 2,
    precision: 'no',
    secondsPerStep: 0.5,
    trainingSeconds: 6,
    peakMemoryBytes: null,
    steps: [step, { ...step, step: 2 }],
    validations: validation ? [{ step: 2, best: true, ...measures(validation) }] : [],
    bestStep: 2,
    stoppedEarly: false,
    test: { scores: measures(test), logits },
  };
  await writeFile(join(out, 'result.json'), JSON.stringify(told));
  return told;
}
