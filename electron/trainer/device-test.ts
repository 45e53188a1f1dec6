/** Which devices compute a training step as the CPU does. */
import type { DeviceId, SelfTestReport } from '../engine/index.js';
import type { EngineDoor } from './engine-door.js';
import type { JobOf, ResultOf } from './protocol.js';
import type { JobContext } from './server.js';

const titles: Record<DeviceId, string> = {
  cpu: 'CPU',
  webgpu: 'GPU (WebGPU)',
  cuda: 'NVIDIA GPU (CUDA)',
  dml: 'GPU (DirectML)',
  coreml: 'Apple (CoreML)',
};

/** Tests one device after the other. A device that takes the whole process down is the studio's to notice: it can ask for one device a process. */
export async function deviceTest(
  job: JobOf<'device-test'>,
  context: JobContext,
  engine: EngineDoor,
): Promise<ResultOf<'device-test'>> {
  const reports: ResultOf<'device-test'>['reports'] = [];
  for (const [done, id] of job.devices.entries()) {
    await context.emit({ type: 'progress', done, total: job.devices.length, message: `Testing ${titles[id]}` });
    await context.breathe();
    const { status, difference, secondsPerStep, reason } = await engine.selfTest(
      id,
      job.threads === null ? {} : { threads: job.threads },
    );
    reports.push({
      id,
      title: titles[id],
      status,
      difference,
      secondsPerStep,
      reason,
      testedAt: new Date().toISOString(),
    });
  }
  return { type: 'device-test', reports, recommended: recommend(reports) };
}

/** The fastest of the devices that passed; the CPU if none did. */
export function recommend(
  reports: readonly {
    readonly id: DeviceId;
    readonly status: SelfTestReport['status'] | 'untested';
    readonly secondsPerStep: number | null;
  }[],
): DeviceId {
  const passed = reports.filter((report) => report.status === 'passed' && report.secondsPerStep !== null);
  const fastest = passed.sort(
    (left, right) => (left.secondsPerStep ?? Infinity) - (right.secondsPerStep ?? Infinity),
  )[0];
  return fastest?.id ?? 'cpu';
}
