/** On a graphics device nothing that computes with numbers falls back to the CPU: read from the runtime's own profile of real steps. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { placementSchema } from '../../devices/placed.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe.runIf(process.platform === 'linux')('a training step over a graphics card in software', () => {
  it('is kept on the device, by each way of hooking in', { timeout: 600_000 }, () => {
    const types = 'lora,bottleneck,prefix,full';
    const { status, stdout, stderr } = spawnSync(process.execPath, ['test/devices/run.mjs', 'software', types], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const placements = stdout
      .trim()
      .split('\n')
      .map((line) => placementSchema.parse(JSON.parse(line)));
    expect(placements.map(({ type }) => type)).toEqual(types.split(','));
    for (const { type, onDevice, fallen, copies } of placements) {
      expect(fallen, type).toEqual({});
      // Were the profile empty, or of the CPU alone, there would be nothing on the device.
      expect(onDevice, type).toBeGreaterThan(200);
      // What the device is told of a batch, and no more.
      expect(copies, type).toBeLessThanOrEqual(12);
    }
  });
});
