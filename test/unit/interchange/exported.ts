/** What tests of exported folders share: a tiny classifier, methods trained on it for some steps, and folders to export into. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import {
  createPredictor,
  createTrainer,
  openModel,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import type { ExportSource } from '../../../electron/interchange/index.js';
import { makeTinyModel, tinyLabels } from '../../helpers/tiny-model.js';

const batch = {
  size: 2,
  sequence: 5,
  inputIds: Int32Array.of(2, 80, 81, 82, 3, 2, 90, 91, 3, 0),
  attentionMask: Int32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
  tokenTypeIds: new Int32Array(10),
  labels: Int32Array.of(0, 1),
  weights: null,
};
const objective = { type: 'classification', labels: tinyLabels } as const;

/** Parameters some steps away from their start. */
async function trainedOn(model: BaseModelInfo, method: MethodSpec): Promise<ExportSource> {
  const trainer = await createTrainer({
    model,
    method,
    objective,
    optimizer: { type: 'sgd', weightDecay: 0, gradientClip: null },
    modelDropout: 0,
    seed: 5,
    device: 'cpu',
    threads: 1,
    steps: 3,
  });
  for (let step = 0; step < 3; step += 1) await trainer.step([batch], 0.5);
  const parameters = trainer.parameters();
  await trainer.dispose();
  return { model, method, labels: tinyLabels, parameters, maxLength: 16 };
}

/** What a model with a method gives for two short texts. */
export async function logits(of: BaseModelInfo, method: MethodSpec, parameters: NamedTensors): Promise<number[]> {
  const predictor = await createPredictor({
    model: of,
    method,
    objective,
    parameters,
    seed: 9,
    device: 'cpu',
    threads: 1,
  });
  const result = [...(await predictor.predict(batch))];
  await predictor.dispose();
  return result;
}

export const json = async (folder: string, name: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
/** Gives keys of a JSON file in a folder other values. */
export const edit = async (folder: string, name: string, change: Readonly<Record<string, unknown>>) =>
  writeFile(join(folder, name), JSON.stringify({ ...(await json(folder, name)), ...change }));

/** For the tests of one file; all that is made goes after the last of them. */
export function exportBench() {
  let scratch: string;
  let model: BaseModelInfo;
  let count = 0;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'interchange-'));
    model = await openModel(await makeTinyModel(join(scratch, 'base'), { layers: 2, maxPositions: 32 }));
  });
  afterAll(() => rm(scratch, { recursive: true }));
  return {
    base: () => model,
    trained: (method: MethodSpec) => trainedOn(model, method),
    /** A folder that is not there yet. */
    fresh: () => join(scratch, `export-${(count += 1)}`),
  };
}
