/**
 * Where the nodes of each method's training step run on a graphics device, read from ONNX Runtime's own profile of real steps: one JSON
 * line a method. `npm run placement -- DEVICE [TYPE,TYPE]`.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { z } from 'zod';
import {
  createTrainer,
  describeMethod,
  listMethods,
  type DeviceId,
  type MethodSpec,
} from '../../electron/engine/index.js';
import { labels, makeBatch, makeModel, type TestShape } from '../../electron/engine/runtime/self-test-model.js';
import { runtime } from '../../electron/engine/runtime/session.js';
import { specOf } from '../helpers/methods.js';
import type { Placement } from './placed.js';

const eventSchema = z.looseObject({
  cat: z.string(),
  name: z.string(),
  args: z
    .looseObject({
      op_name: z.string().optional(),
      provider: z.string().optional(),
      /** A type and shape each. */
      input_type_shape: z.array(z.record(z.string(), z.array(z.number()))).default([]),
    })
    .optional(),
});
const STEPS = 2;
/** Room for the virtual tokens of every method. */
const shape: TestShape = { hidden: 32, heads: 4, positions: 64 };

/** Has every session that is made from now on profiled into the folder; answers those made. */
async function profiled(folder: string): Promise<InferenceSession[]> {
  const { InferenceSession: sessions } = await runtime();
  // The engine makes all its sessions from bytes.
  type FromBytes = (bytes: Uint8Array, options: InferenceSession.SessionOptions) => Promise<InferenceSession>;
  const create: FromBytes = sessions.create.bind(sessions);
  const made: InferenceSession[] = [];
  const profiling: FromBytes = async (bytes, options) => {
    const profileFilePrefix = join(folder, `session-${made.length}`);
    const session = await create(bytes, { ...options, enableProfiling: true, profileFilePrefix });
    made.push(session);
    return session;
  };
  sessions.create = profiling as typeof sessions.create;
  return made;
}

async function placementOf(
  spec: MethodSpec,
  device: DeviceId,
  folder: string,
  made: InferenceSession[],
): Promise<Placement> {
  const model = await makeModel(folder, shape);
  const trainer = await createTrainer({
    model,
    method: spec,
    objective: { type: 'classification', labels },
    device,
    seed: 1,
    modelDropout: null,
    optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
    steps: STEPS,
  });
  for (let step = 0; step < STEPS; step++) await trainer.step([makeBatch(4, 16)], 0.001);
  for (const session of made.splice(0)) session.endProfiling();
  await trainer.dispose();
  const fallen: Record<string, number> = {};
  let [onDevice, indexes, copies] = [0, 0, 0];
  for (const name of await readdir(folder)) {
    if (!name.startsWith('session-')) continue;
    const events = z.array(eventSchema).parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
    for (const { cat, name: event, args } of events) {
      if (cat !== 'Node' || !event.endsWith('_kernel_time') || !args?.op_name) continue;
      if (args.op_name.startsWith('Memcpy')) copies += 1;
      else if (args.provider !== 'CPUExecutionProvider') onDevice += 1;
      else if (args.input_type_shape.some((type) => 'float' in type))
        fallen[args.op_name] = (fallen[args.op_name] ?? 0) + 1;
      else indexes += 1;
    }
    await rm(join(folder, name));
  }
  const aStep = (count: number) => Math.round(count / STEPS);
  return {
    type: spec.type,
    method: describeMethod(spec),
    onDevice: aStep(onDevice),
    fallen: Object.fromEntries(Object.entries(fallen).map(([op, count]) => [op, aStep(count)])),
    indexes: aStep(indexes),
    copies: aStep(copies),
  };
}

async function main(): Promise<void> {
  const [device = 'webgpu', only] = process.argv.slice(2);
  const folder = await mkdtemp(join(tmpdir(), 'placement-'));
  try {
    const made = await profiled(folder);
    // Wordings are found by gradients alone: nothing of it trains.
    const types =
      only?.split(',') ??
      listMethods()
        .map(({ type }) => type)
        .filter((type) => type !== 'prompt-search');
    for (const type of types)
      process.stdout.write(`${JSON.stringify(await placementOf(specOf(type), device as DeviceId, folder, made))}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
