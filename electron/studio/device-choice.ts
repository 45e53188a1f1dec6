/** Which device a plan runs on, from what the self-tests found. */
import type { TestedDevice } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { DeviceChoice, DeviceId } from '../contract/plan.js';

type Found = Pick<TestedDevice, 'id' | 'status' | 'secondsPerStep' | 'reason'>;

export const deviceTitles: Readonly<Record<DeviceId, string>> = {
  cpu: 'CPU',
  webgpu: 'GPU (WebGPU)',
  cuda: 'NVIDIA GPU (CUDA)',
  dml: 'GPU (DirectML)',
  coreml: 'Apple (Core ML)',
};

/** Devices that the runtime can have on a system, in the order they are tried. */
export function devicesOf(platform: NodeJS.Platform): readonly DeviceId[] {
  switch (platform) {
    case 'win32':
      return ['cpu', 'dml', 'webgpu'];
    case 'darwin':
      return ['cpu', 'coreml', 'webgpu'];
    default:
      return ['cpu', 'cuda', 'webgpu'];
  }
}

/** The fastest of the devices that passed and were timed; the CPU where there is none, and where another is only as fast. */
export function fastestDevice(tested: readonly Found[]): DeviceId {
  let best: { readonly id: DeviceId; readonly seconds: number } = { id: 'cpu', seconds: Infinity };
  for (const { id, status, secondsPerStep } of tested) {
    if (status !== 'passed' || secondsPerStep === null) continue;
    if (secondsPerStep < best.seconds || (secondsPerStep === best.seconds && id === 'cpu'))
      best = { id, seconds: secondsPerStep };
  }
  return best.id;
}

/**
 * The device that a choice means: itself once it passed its self-test, the fastest for "auto". The CPU is what the others are
 * held against: it needs no test.
 * @throws StudioError 'device-failed' with the reason for one that did not pass
 */
export function chooseDevice(
  wanted: DeviceChoice,
  tested: readonly Found[],
  hint = 'Choose "auto" or "cpu", or mend that and test the devices again (Settings, or `peft-studio devices`).',
): DeviceId {
  if (wanted === 'auto') return fastestDevice(tested);
  if (wanted === 'cpu') return 'cpu';
  const found = tested.find(({ id }) => id === wanted);
  if (found?.status === 'passed') return wanted;
  throw new StudioError(
    'device-failed',
    `The device ${wanted} ${found ? `did not pass its self-test: ${found.reason ?? 'no reason given'}` : 'has not been tested on this system'}`,
    hint,
    { device: wanted },
  );
}

/** The choice in words, for a run's log: what it is, and why no other. */
export function explainChoice(wanted: DeviceChoice, device: DeviceId, tested: readonly Found[]): string {
  if (wanted !== 'auto') return `Device: ${deviceTitles[device]}, as chosen.`;
  const others = tested
    .filter(({ id, reason }) => id !== device && reason !== null)
    .map(({ id, reason }) => ` ${deviceTitles[id]}: ${reason}`);
  const passed = tested.some(({ id, status }) => id === device && status === 'passed');
  return `Device: ${deviceTitles[device]}, ${passed ? 'the fastest that passed its self-test' : 'since none is tested yet'}.${others.join('')}`;
}
