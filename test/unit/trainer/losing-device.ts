/**
 * The real trainer over a device of tests: what it asks of WebGPU the CPU computes, until the device is lost in the middle of a run.
 * Only the runtime's door is another; the engine, its sessions and what they make of the failure are the app's.
 */
import { InferenceSession } from 'onnxruntime-node';

/** Runs of the device's sessions that a training gets. */
const RUNS = 30;

let training = false;
let runs = 0;
process.on('message', (message) => {
  training ||= JSON.stringify(message).includes('"type":"train"');
});

const create = InferenceSession.create.bind(InferenceSession) as (
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

async function onDevice(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  const [device] = options.executionProviders ?? [];
  if (device !== 'webgpu') return create(model, options);
  // The CPU has no memory of its own that outputs could stay in.
  const { preferredOutputLocation: _places, ...rest } = options;
  const session = await create(model, { ...rest, executionProviders: ['cpu'] });
  const run = session.run.bind(session) as (...all: unknown[]) => Promise<InferenceSession.ReturnType>;
  return Object.assign(session, {
    run: async (...all: unknown[]) => {
      if (training && ++runs > RUNS) throw new Error('WebGPU device lost (reason: unknown): the adapter went away.');
      return run(...all);
    },
  });
}
Object.assign(InferenceSession, { create: onDevice });

void import('../../../electron/trainer/main.js');
