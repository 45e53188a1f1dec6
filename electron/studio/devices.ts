/** Devices: offered only after a training step on them agreed with the CPU's. */
import type { Handlers } from '../contract/calls.js';
import type { DeviceReport } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { DeviceChoice } from '../contract/plan.js';
import type { DeviceId } from '../engine/index.js';
import { records } from '../storage/index.js';
import { changed, type Context } from './context.js';
import { TrainerClient } from './trainer-client.js';

type Group = Pick<Handlers, 'devices.list' | 'devices.test'>;

const titles: Readonly<Record<DeviceId, string>> = {
  cpu: 'CPU',
  webgpu: 'GPU, WebGPU',
  cuda: 'GPU, CUDA',
  dml: 'GPU, DirectML',
  coreml: 'Core ML',
};

/** Devices that the runtime can have on this system, in the order they are tried. */
export function devicesHere(): readonly DeviceId[] {
  switch (process.platform) {
    case 'win32':
      return ['cpu', 'dml', 'webgpu'];
    case 'darwin':
      return ['cpu', 'coreml', 'webgpu'];
    default:
      return ['cpu', 'cuda', 'webgpu'];
  }
}

async function reports(context: Context): Promise<DeviceReport[]> {
  const stored = new Map((await records.listReports(context.database)).map((report) => [report.id, report]));
  const inUse = await resolveDevice(context, 'auto');
  return devicesHere().map((id) => ({
    ...(stored.get(id) ?? {
      id,
      title: titles[id],
      status: 'untested' as const,
      difference: null,
      secondsPerStep: null,
      reason: null,
      testedAt: null,
    }),
    inUse: id === inUse,
  }));
}

/**
 * The device that a plan runs on: its own, else the setting's, else the fastest that passed, else the CPU.
 * Throws StudioError 'device-failed' for one that has not passed its self-test.
 */
export async function resolveDevice(context: Context, choice: DeviceChoice): Promise<DeviceId> {
  const stored = await records.listReports(context.database);
  const setting = (await records.readSettings(context.database)).device;
  const wanted = choice === 'auto' ? setting : choice;
  const passed = stored.filter(({ status }) => status === 'passed');
  if (wanted === 'auto') {
    const timed = passed
      .filter((report) => report.secondsPerStep !== null)
      .sort((a, b) => (a.secondsPerStep ?? 0) - (b.secondsPerStep ?? 0));
    return timed[0]?.id ?? 'cpu';
  }
  if (wanted === 'cpu') return 'cpu';
  const report = stored.find(({ id }) => id === wanted);
  if (report?.status === 'passed') return report.id;
  throw new StudioError(
    'device-failed',
    `The device ${wanted} ${report ? `did not pass its self-test: ${report.reason ?? 'no reason given'}` : 'has not been tested'}.`,
    'Run the self-test (Settings, or `peft-studio devices`), or choose "cpu".',
    { device: wanted },
  );
}

/** Each device in a process of its own: a driver may take the process down. */
async function testDevice(context: Context, device: DeviceId): Promise<void> {
  const client = new TrainerClient(context.spawnTrainer);
  const { threads } = await records.readSettings(context.database);
  try {
    const job = client.start<'device-test'>({ type: 'device-test', devices: [device], threads });
    const {
      reports: [report],
    } = await job.result;
    if (report) await records.saveReport(context.database, report);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await records.saveReport(context.database, {
      id: device,
      title: titles[device],
      status: 'failed',
      difference: null,
      secondsPerStep: null,
      reason,
      testedAt: new Date().toISOString(),
    });
  } finally {
    client.close();
  }
}

export function deviceCalls(context: Context): Group {
  return {
    'devices.list': () => reports(context),
    'devices.test': async () => {
      for (const device of devicesHere()) await testDevice(context, device);
      changed(context, 'devices');
      return reports(context);
    },
  };
}
