import { describe, expect, it } from 'vitest';
import { devicesInWords, devicesOfRun } from '../../../electron/contract/device-words.js';
import { devicesAfter } from '../../../electron/studio/device-parts.js';

const moved = [
  { device: 'webgpu', afterStep: 0 },
  { device: 'cpu', afterStep: 20 },
];

describe('devicesAfter', () => {
  it('is none for a run that stays, begins, or begins anew', () => {
    expect(devicesAfter(null, { device: 'cpu', step: 0 })).toBeNull();
    expect(devicesAfter({ device: 'cpu' }, { device: 'cpu', step: 20 })).toBeNull();
    expect(devicesAfter({ device: 'cpu', devices: moved }, { device: 'cpu', step: 0 })).toBeNull();
  });
  it('adds where another takes over', () =>
    expect(devicesAfter({ device: 'webgpu' }, { device: 'cpu', step: 20 })).toEqual(moved));
  it('keeps what it was where it goes on on the same', () =>
    expect(devicesAfter({ device: 'cpu', devices: moved }, { device: 'cpu', step: 40 })).toEqual(moved));
  it('forgets a part of which no step stands', () => {
    expect(devicesAfter({ device: 'cpu', devices: moved }, { device: 'webgpu', step: 20 })).toBeNull();
    expect(devicesAfter({ device: 'cpu', devices: moved }, { device: 'cuda', step: 10 })).toEqual([
      { device: 'webgpu', afterStep: 0 },
      { device: 'cuda', afterStep: 10 },
    ]);
  });
});

describe('in words', () => {
  it('names each device and its first step', () => {
    expect(devicesInWords({ device: 'cpu', devices: moved })).toBe('webgpu, cpu from step 21');
    expect(devicesInWords({ device: 'cpu' })).toBe('cpu');
    expect(devicesInWords({ device: null })).toBeNull();
    const back = [...moved, { device: 'webgpu', afterStep: 30 }];
    expect(devicesOfRun({ device: 'webgpu', devices: back })).toEqual(['webgpu', 'cpu']);
  });
});
