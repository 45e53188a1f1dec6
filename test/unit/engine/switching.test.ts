/** Switching between tasks on one loaded base: other methods, labels and parameters answer as they do by themselves. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createPredictor,
  createTrainer,
  openModel,
  type BaseModelInfo,
  type Batch,
  type MethodSpec,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import { largestDifference, oracleFolder } from '../../helpers/oracle.js';

const batch: Batch = {
  size: 2,
  sequence: 5,
  inputIds: Int32Array.of(5, 9, 12, 7, 0, 6, 11, 8, 14, 20),
  tokenTypeIds: new Int32Array(10),
  attentionMask: Int32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1, 1),
  labels: Int32Array.of(0, 1),
  weights: null,
};

interface Task {
  readonly method: MethodSpec;
  readonly labels: readonly string[];
  readonly seed: number;
}

describe.each(['bert', 'gpt2'])('on %s', (name) => {
  let model: BaseModelInfo;
  const where = { device: 'cpu', threads: 1, seed: 1 } as const;
  beforeAll(async () => {
    model = await openModel(join(oracleFolder, 'models', name));
  });

  async function trained({ method, labels, seed }: Task): Promise<NamedTensors> {
    const trainer = await createTrainer({
      model,
      method,
      objective: { type: 'classification', labels },
      optimizer: { type: 'adamw', weightDecay: 0, gradientClip: null },
      modelDropout: 0,
      ...where,
      seed,
      steps: 3,
    });
    for (let step = 0; step < 3; step++) await trainer.step([batch], 0.05);
    const result = await trainer.result();
    await trainer.dispose();
    return result;
  }

  const open = ({ method, labels }: Task, parameters: NamedTensors, shareBase: boolean) =>
    createPredictor({ model, method, objective: { type: 'classification', labels }, parameters, shareBase, ...where });

  it('other methods and labels stand on the same weights', async () => {
    const tasks: Task[] = [
      { method: { type: 'lora' }, labels: ['a', 'b'], seed: 1 },
      { method: { type: 'bottleneck' }, labels: ['a', 'b', 'c', 'd'], seed: 2 },
      { method: { type: 'prefix', numVirtualTokens: 2 }, labels: ['a', 'b', 'c'], seed: 3 },
      { method: { type: 'full' }, labels: ['a', 'b'], seed: 4 },
    ];
    const parameters = [];
    for (const task of tasks) parameters.push(await trained(task));
    const shared = [];
    for (const [i, task] of tasks.entries()) shared.push(await open(task, parameters[i] as NamedTensors, true));
    for (const [i, task] of [...tasks.entries(), ...tasks.entries()]) {
      const own = await open(task, parameters[i] as NamedTensors, false);
      expect(
        largestDifference((await shared[i]?.predict(batch)) ?? [], await own.predict(batch)),
        task.method.type,
      ).toBeLessThan(1e-5);
      await own.dispose();
    }
    for (const one of shared) await one.dispose();
  });

  it('other parameters of a method need no session, in turns and after the first has gone', async () => {
    const task = (seed: number): Task => ({ method: { type: 'lora', rank: 2 }, labels: ['a', 'b'], seed });
    const [first, second] = [await trained(task(1)), await trained(task(2))];
    const one = await open(task(1), first, true);
    const two = await one.another(second);
    const own = await open(task(2), second, false);
    const [alone, before] = [await own.predict(batch), await one.predict(batch)];
    expect(largestDifference(await two.predict(batch), alone)).toBeLessThan(1e-5);
    expect(largestDifference(await one.predict(batch), before)).toBe(0);
    expect(largestDifference(before, alone)).toBeGreaterThan(1e-3);
    await one.dispose();
    await one.dispose();
    expect(largestDifference(await two.predict(batch), alone)).toBeLessThan(1e-5);
    await expect(one.another(first)).rejects.toThrow(/has been let go/);
    await two.dispose();
    await own.dispose();
  });
});
