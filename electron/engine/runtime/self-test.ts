/** Tries a device on a real training step and holds it against the CPU. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModel } from '../models/folder.js';
import { architectureOf } from '../models/registry.js';
import { Builder } from '../models/builder.js';
import { writeSafetensors } from '../safetensors/index.js';
import type { BaseModelInfo, Batch, DeviceId, SelfTestReport } from '../types.js';
import { initialize } from './random.js';
import { runtime } from './session.js';
import { createTrainer } from './trainer.js';

const config = {
  model_type: 'bert',
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 32,
};
/** Relative difference that is still rounding. */
const TOLERANCE = 1e-3;
const STEPS = 3;

async function makeModel(folder: string): Promise<BaseModelInfo> {
  const architecture = architectureOf('bert');
  const b = new Builder({ hooks: {}, trains: () => false, training: false, packed: true, modelDropout: null });
  architecture.classify(b, architecture.readConfig(config), architecture.encode(b, architecture.readConfig(config), 'first'), 3);
  const tensors = [...b.parameters.values()]
    .filter(({ name }) => !name.startsWith('classifier'))
    .map(({ name, shape, initializer }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      data: initialize(
        name,
        shape.reduce((a, d) => a * d, 1),
        initializer === 'ones' ? 'ones' : { normal: 0.3 },
        7,
      ),
    }));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, {});
  return openModel(folder);
}

function makeBatch(): Batch {
  const [size, sequence] = [6, 12];
  const cells = size * sequence;
  return {
    size,
    sequence,
    inputIds: Int32Array.from({ length: cells }, (_, i) => (i * 37) % 64),
    tokenTypeIds: new Int32Array(cells),
    attentionMask: Int32Array.from({ length: cells }, (_, i) => (i % sequence < 12 - Math.floor(i / sequence) ? 1 : 0)),
    labels: Int32Array.from({ length: size }, (_, i) => i % 3),
    weights: null,
  };
}

interface Trial {
  readonly values: Float32Array;
  readonly secondsPerStep: number;
}

async function trial(model: BaseModelInfo, device: DeviceId, type: 'lora' | 'full', threads?: number): Promise<Trial> {
  const trainer = await createTrainer({
    model,
    method: { type },
    objective: { type: 'classification', labels: ['a', 'b', 'c'] },
    device,
    threads,
    seed: 1,
    modelDropout: null,
    // Plain descent: Adam would blow rounding noise of tiny gradients up to whole steps.
    optimizer: { type: 'sgd', weightDecay: 0.01, momentum: 0.9, gradientClip: 1 },
  });
  try {
    const losses: number[] = [];
    let started = performance.now();
    for (let step = 0; step < STEPS; step++) {
      const { loss, gradientNorm } = await trainer.step([makeBatch()], 0.05);
      losses.push(loss, gradientNorm);
      // The first step compiles kernels.
      if (step === 0) started = performance.now();
    }
    const seconds = (performance.now() - started) / 1000 / (STEPS - 1);
    const logits = await trainer.predict(makeBatch());
    return { values: Float32Array.of(...losses, ...logits), secondsPerStep: seconds };
  } finally {
    await trainer.dispose();
  }
}

/** Largest difference relative to the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  const scale = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.reduce(
    (most, x, i) => Math.max(most, Number.isFinite(x) ? Math.abs(x - (b[i] as number)) / scale : Infinity),
    0,
  );
}

/** LoRA and full steps with dropout on a tiny model, on the device and on the CPU. Never throws: a failure is the report. */
export async function selfTest(device: DeviceId, options: { readonly threads?: number } = {}): Promise<SelfTestReport> {
  const ort = await runtime();
  if (!ort.listSupportedBackends().some(({ name }) => name === device)) {
    return {
      device,
      status: 'unavailable',
      difference: null,
      secondsPerStep: null,
      reason: 'This build of ONNX Runtime does not have it on this system.',
    };
  }
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-test-'));
  try {
    const model = await makeModel(folder);
    let worst = 0;
    let secondsPerStep = 0;
    for (const type of ['lora', 'full'] as const) {
      const reference = await trial(model, 'cpu', type, options.threads);
      const own = await trial(model, device, type, options.threads);
      worst = Math.max(worst, difference(own.values, reference.values));
      secondsPerStep = own.secondsPerStep;
    }
    const passed = worst <= TOLERANCE;
    return {
      device,
      status: passed ? 'passed' : 'failed',
      difference: worst,
      secondsPerStep,
      reason: passed
        ? null
        : `A training step differs from the CPU's by ${worst.toPrecision(2)} (at most ${TOLERANCE} is allowed).`,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Named in the build, but its libraries are a download of their own.
    const missing = /Failed to load (shared )?library|cannot open shared object/i.test(reason);
    return {
      device,
      status: missing ? 'unavailable' : 'failed',
      difference: null,
      secondsPerStep: null,
      reason: missing ? `The libraries of ${device} are not installed.` : reason,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
