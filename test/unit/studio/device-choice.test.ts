import { describe, expect, it } from 'vitest';
import type { TestedDevice } from '../../../electron/contract/entities.js';
import {
  chooseDevice,
  devicesOf,
  deviceTitles,
  explainChoice,
  fastestDevice,
} from '../../../electron/studio/device-choice.js';

type Found = Pick<TestedDevice, 'id' | 'status' | 'secondsPerStep' | 'reason'>;
const passed = (id: TestedDevice['id'], secondsPerStep: number | null, reason: string | null = null): Found => ({
  id,
  status: 'passed',
  secondsPerStep,
  reason,
});
const cpu = passed('cpu', 0.06);
const failed: Found = { id: 'webgpu', status: 'failed', secondsPerStep: null, reason: 'It differs by 0.4.' };
const missing: Found = { id: 'cuda', status: 'unavailable', secondsPerStep: null, reason: 'No libraries.' };

describe('automatic', () => {
  it('means the fastest that passed, in whatever order they were tested', () => {
    const gpus = [passed('webgpu', 0.02), passed('cuda', 0.01)];
    expect(fastestDevice([cpu, ...gpus])).toBe('cuda');
    expect(fastestDevice([...gpus.reverse(), cpu])).toBe('cuda');
    expect(chooseDevice('auto', [cpu, passed('webgpu', 0.02)])).toBe('webgpu');
  });

  it('means the CPU where no other is faster, passed, was timed or was tested', () => {
    expect(fastestDevice([cpu, passed('webgpu', 0.07)])).toBe('cpu');
    expect(fastestDevice([passed('webgpu', 0.06), cpu])).toBe('cpu');
    expect(fastestDevice([cpu, { ...failed, secondsPerStep: 0.001 }])).toBe('cpu');
    expect(fastestDevice([cpu, missing, passed('webgpu', null, 'Slower.')])).toBe('cpu');
    expect(fastestDevice([])).toBe('cpu');
    expect(chooseDevice('auto', [])).toBe('cpu');
  });

  it('says why no other', () => {
    expect(explainChoice('auto', 'cpu', [cpu, missing, failed])).toBe(
      'Device: CPU, the fastest that passed its self-test. NVIDIA GPU (CUDA): No libraries. GPU (WebGPU): It differs by 0.4.',
    );
    expect(explainChoice('auto', 'webgpu', [cpu, passed('webgpu', 0.01)])).toBe(
      'Device: GPU (WebGPU), the fastest that passed its self-test.',
    );
    expect(explainChoice('auto', 'cpu', [])).toBe('Device: CPU, since none is tested yet.');
  });
});

describe('a device that was named', () => {
  it('is taken once it passed, slow or not', () => {
    expect(chooseDevice('webgpu', [cpu, passed('webgpu', 9)])).toBe('webgpu');
    expect(chooseDevice('webgpu', [cpu, passed('webgpu', null, 'Slower.')])).toBe('webgpu');
    expect(explainChoice('webgpu', 'webgpu', [])).toBe('Device: GPU (WebGPU), as chosen.');
  });

  it('is refused with its reason otherwise', () => {
    expect(() => chooseDevice('webgpu', [cpu, failed])).toThrow(
      'The device webgpu did not pass its self-test: It differs by 0.4.',
    );
    expect(() => chooseDevice('cuda', [cpu, missing])).toThrow('No libraries.');
    expect(() => chooseDevice('coreml', [cpu])).toThrow('coreml has not been tested on this system');
  });

  it('needs no test where it is the CPU', () => expect(chooseDevice('cpu', [])).toBe('cpu'));
});

it('every system has the CPU first and WebGPU, and a title for each', () => {
  for (const platform of ['linux', 'win32', 'darwin', 'freebsd'] as const) {
    const here = devicesOf(platform);
    expect(here[0]).toBe('cpu');
    expect(here).toContain('webgpu');
    for (const id of here) expect(deviceTitles[id]).not.toBe('');
  }
});
