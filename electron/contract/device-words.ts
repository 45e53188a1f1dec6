/** Devices that a run was trained on, in words. */
import type { Run } from './entities.js';

type Trained = Pick<Run, 'device' | 'devices'>;

/** Each device once, in the order of use; none before a run has begun. */
export const devicesOfRun = ({ device, devices }: Trained): string[] =>
  devices ? [...new Set(devices.map((part) => part.device))] : device === null ? [] : [device];

/** "cpu"; of a run that went on elsewhere "webgpu, cpu from step 41". Null before a run has begun. */
export const devicesInWords = ({ device, devices }: Trained): string | null =>
  devices
    ? devices.map((part, i) => (i === 0 ? part.device : `${part.device} from step ${part.afterStep + 1}`)).join(', ')
    : device;
