/** Turns whatever was thrown in the trainer into a problem the studio can show. */
import { z } from 'zod';
import { StudioError, type ErrorCode, type Problem } from '../contract/errors.js';
import { fileProblem } from '../contract/problem-of.js';
import { EngineError, type EngineErrorCode } from '../engine/index.js';

const engineCodes: Record<EngineErrorCode, ErrorCode> = {
  'bad-graph': 'internal',
  'bad-model': 'bad-model',
  'bad-file': 'bad-file',
  'bad-input': 'bad-input',
  'device-failed': 'device-failed',
  'out-of-memory': 'out-of-memory',
};

const memoryHint =
  'Use a smaller batch or a shorter maximum length, split the batch by accumulation, choose a method that trains fewer parameters, or close other programs.';
/** Of a run that has a checkpoint, or begins anew. */
const goOnHint = 'The run stands at its last checkpoint. Go on on the CPU or another device, or on the same one again.';
const deviceHint = 'Run this on the CPU, or test the device again in the settings.';
/** What the runtime and the allocator say when memory ends, and when a device goes away. */
const outOfMemory =
  /bad_alloc|allocation failed|failed to allocate|not enough memory|out of memory|E_OUTOFMEMORY|Invalid (typed )?array length/i;
const deviceLost =
  /device (was |is )?(lost|hung|removed)|DXGI_ERROR_DEVICE|CUDA error|CUDNN_STATUS|webgpu.*(failed|error)/i;

/** The problem that stands for `error`; never throws. */
export function toProblem(error: unknown): Problem {
  if (error instanceof StudioError) return error.toProblem();
  if (error instanceof EngineError) {
    const hint =
      error.hint ?? (error.code === 'out-of-memory' ? memoryHint : error.code === 'device-failed' ? deviceHint : null);
    return { code: engineCodes[error.code], message: error.message, hint, context: { ...error.context } };
  }
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    return {
      code: 'bad-input',
      message: `${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'is not allowed'}`,
      hint: null,
      context: {},
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const file = fileProblem(error);
  if (file !== null) return file;
  if (outOfMemory.test(message))
    return { code: 'out-of-memory', message: `Memory ran out: ${message}`, hint: memoryHint, context: {} };
  if (deviceLost.test(message))
    return { code: 'device-failed', message: `The device failed: ${message}`, hint: deviceHint, context: {} };
  return {
    code: 'internal',
    message,
    hint: 'This is a fault in the app; restarting it may help.',
    context: { where: error instanceof Error ? (error.stack?.split('\n')[1]?.trim() ?? null) : null },
  };
}

/** What failed in a step of a run: of another device than the CPU it names the device and the step, since the run can go on elsewhere. */
export function inStep(error: unknown, step: number): unknown {
  if (!(error instanceof EngineError)) return error;
  const { code, context, message } = error;
  const { device } = context;
  if ((code !== 'device-failed' && code !== 'out-of-memory') || typeof device !== 'string' || device === 'cpu')
    return error;
  const hint = code === 'out-of-memory' ? `${goOnHint} A new run with a smaller batch may fit.` : goOnHint;
  return new StudioError(code, `Step ${step}: ${message}`, hint, { ...context, step }, { cause: error });
}

/** What a job throws when it was cancelled. */
export const cancelled = () => new StudioError('cancelled', 'Cancelled.');
