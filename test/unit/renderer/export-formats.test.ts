import { describe, expect, it } from 'vitest';
import { exportFolder } from '../../../renderer/screens/export/formats.js';

const run = { methodName: 'LoRA', setting: 'r 8, query value', seed: 3 };
describe('exportFolder', () => {
  it('is a new folder inside the chosen one, named after run and format', () => {
    expect(exportFolder('/home/a/exports', run, 'peft')).toBe('/home/a/exports/lora-r-8-query-value-seed-3-peft');
    expect(exportFolder('/home/a/exports/', run, 'onnx', 2)).toBe('/home/a/exports/lora-r-8-query-value-seed-3-onnx-2');
  });
  it('keeps to the system\u2019s separator', () => {
    expect(exportFolder('C:\\Users\\a', run, 'merged')).toBe('C:\\Users\\a\\lora-r-8-query-value-seed-3-merged');
    expect(exportFolder('C:\\', run, 'merged')).toBe('C:\\lora-r-8-query-value-seed-3-merged');
  });
});
