/** Tries a device on real training steps: its numbers are held against the CPU's, then its time is taken. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseModelInfo, Batch, DeviceId, SelfTestReport } from '../types.js';
import { labels, makeBatch, makeModel, smallShape, typicalShape } from './self-test-model.js';
import { runtime } from './session.js';
import { createTrainer } from './trainer.js';

/** Relative difference that is still rounding. */
const TOLERANCE = 1e-3;
const STEPS = 4;

interface Trial {
  /** Losses and gradient norms of the steps, then logits. */
  readonly values: Float32Array;
  /** The fastest step: what else the machine does only adds to it. */
  readonly secondsPerStep: number;
}
export interface SelfTestOptions {
  /** An empty folder for made-up models; the caller removes it, also where the test's process does not come back. */
  readonly folder: string;
  readonly threads?: number;
  /** Called after each step: a test that is silent for long hangs. */
  readonly onStep?: () => Promise<void>;
}
type Attempt = (device: DeviceId, batch: Batch) => Promise<Trial>;

function trialOf(model: BaseModelInfo, type: 'lora' | 'full', { threads, onStep }: SelfTestOptions): Attempt {
  return async (device, batch) => {
    const trainer = await createTrainer({
      model,
      method: { type },
      objective: { type: 'classification', labels },
      device,
      threads,
      seed: 1,
      modelDropout: null,
      // Plain descent: Adam would blow rounding noise of tiny gradients up to whole steps.
      optimizer: { type: 'sgd', weightDecay: 0.01, momentum: 0.9, gradientClip: 1 },
    });
    try {
      const values: number[] = [];
      let secondsPerStep = Infinity;
      for (let step = 0; step < STEPS; step++) {
        const started = performance.now();
        const { loss, gradientNorm } = await trainer.step([batch], 0.05);
        // The first step compiles kernels.
        if (step > 0) secondsPerStep = Math.min(secondsPerStep, (performance.now() - started) / 1000);
        values.push(loss, gradientNorm);
        await onStep?.();
      }
      const logits = await trainer.predict(batch);
      return { values: Float32Array.of(...values, ...logits), secondsPerStep };
    } finally {
      await trainer.dispose();
    }
  };
}

/** Largest difference relative to the largest value; Infinity where a value is not finite. */
function difference(a: Float32Array, b: Float32Array): number {
  const scale = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.reduce(
    (most, x, i) => Math.max(most, Number.isFinite(x) ? Math.abs(x - (b[i] as number)) / scale : Infinity),
    0,
  );
}

class Deviation extends Error {
  constructor(readonly difference: number) {
    super(
      Number.isFinite(difference)
        ? `A training step differs from the CPU's by ${difference.toPrecision(2)} (at most ${TOLERANCE} is allowed).`
        : 'A training step gives numbers that are not finite.',
    );
  }
}

/** @throws Deviation beyond the tolerance */
function agree(own: Trial, reference: Trial): number {
  const found = difference(own.values, reference.values);
  if (found <= TOLERANCE) return found;
  throw new Deviation(found);
}

const milliseconds = (seconds: number) => `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

/**
 * Time of a LoRA step of typical size and the difference from the CPU's there. A device that is slower on a fraction of the
 * work is not asked for the whole, which may take a software renderer minutes.
 */
async function time(
  device: DeviceId,
  attempt: Attempt,
  smallStep: number,
): Promise<Pick<SelfTestReport, 'difference' | 'secondsPerStep' | 'reason'>> {
  const whole = makeBatch(8, 64);
  const reference = await attempt('cpu', whole);
  const slower = (seconds: number) => ({
    difference: 0,
    secondsPerStep: null,
    reason: `Its numbers are right, but it is slower than the CPU: ${milliseconds(seconds)} for a fraction of a step that the CPU does in ${milliseconds(reference.secondsPerStep)}.`,
  });
  if (device === 'cpu') return { difference: 0, secondsPerStep: reference.secondsPerStep, reason: null };
  if (smallStep > reference.secondsPerStep) return slower(smallStep);
  const { secondsPerStep } = await attempt(device, makeBatch(1, 8));
  if (secondsPerStep > reference.secondsPerStep) return slower(secondsPerStep);
  const own = await attempt(device, whole);
  return { difference: agree(own, reference), secondsPerStep: own.secondsPerStep, reason: null };
}

const names: Readonly<Record<DeviceId, string>> = {
  cpu: 'the CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
};

/** What the runtime says, without its source lines, in words for who has the device. */
function describeFailure(device: DeviceId, error: unknown): Pick<SelfTestReport, 'status' | 'reason'> {
  const text = error instanceof Error ? error.message : String(error);
  if (/Failed to load (shared )?library|cannot open shared object/i.test(text))
    return {
      status: 'unavailable',
      reason: `The libraries that ONNX Runtime needs for ${names[device]} are not installed; they are a download of their own.`,
    };
  if (/Failed to get a WebGPU adapter/i.test(text))
    return {
      status: 'unavailable',
      reason:
        process.platform === 'linux'
          ? 'No graphics card with a Vulkan driver was found. If there is one, install its driver and the Vulkan loader (libvulkan1).'
          : 'No graphics card that WebGPU can use was found. If there is one, install its driver.',
    };
  return { status: 'failed', reason: text.replace(/\/onnxruntime_src\/.* was false\. /s, '').trim() };
}

/**
 * LoRA and full steps with dropout on a small model, on the device and on the CPU, then the time of a larger step.
 * Never throws: a failure is the report. A driver may still take the process down, or never answer.
 */
export async function selfTest(device: DeviceId, options: SelfTestOptions): Promise<SelfTestReport> {
  const nothing = { device, difference: null, secondsPerStep: null };
  try {
    const ort = await runtime();
    if (!ort.listSupportedBackends().some(({ name }) => name === device))
      return {
        ...nothing,
        status: 'unavailable',
        reason: 'This build of ONNX Runtime does not have it on this system.',
      };
    const [small, typical] = [join(options.folder, 'small'), join(options.folder, 'typical')];
    await Promise.all([mkdir(small), mkdir(typical)]);
    const model = await makeModel(small, smallShape);
    const batch = makeBatch(6, 12);
    let worst = 0;
    let smallStep = 0;
    for (const type of ['full', 'lora'] as const) {
      const attempt = trialOf(model, type, options);
      const reference = await attempt('cpu', batch);
      const own = device === 'cpu' ? reference : await attempt(device, batch);
      worst = Math.max(worst, agree(own, reference));
      smallStep = own.secondsPerStep;
    }
    const timed = await time(device, trialOf(await makeModel(typical, typicalShape), 'lora', options), smallStep);
    return { device, status: 'passed', ...timed, difference: Math.max(worst, timed.difference ?? 0) };
  } catch (error) {
    const found = error instanceof Deviation && Number.isFinite(error.difference) ? error.difference : null;
    return { ...nothing, difference: found, ...describeFailure(device, error) };
  }
}
