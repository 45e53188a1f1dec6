import { describe, expect, it } from 'vitest';
import { layerMarks, layerParts, partsOfTarget } from '../../../../renderer/state/layer-parts.js';

describe('partsOfTarget', () => {
  it.each([
    ['query', ['q']], ['attention.self.value', ['v']], ['q_lin', ['q']], ['out_lin', ['o']], ['attention.output.dense', ['o']], ['intermediate.dense', ['up']],
    ['output.dense', ['down']], ['encoder.layer.3.output.dense', ['down']], ['lin2', ['down']], ['dense', ['o', 'up', 'down']], ['nothing', []],
  ])('%s', (target, parts) => expect(partsOfTarget(target)).toEqual(parts));
});

describe('layerMarks', () => {
  it('marks every part for full fine-tuning and none for the head', () => {
    expect(layerMarks({ type: 'full' })?.trained).toEqual(new Set(layerParts));
    expect(layerMarks({ type: 'head' })?.trained.size).toBe(0);
  });
  it('draws low-rank pairs where LoRA acts', () => expect(layerMarks({ type: 'lora', targetModules: ['query', 'value'] })?.lowRank).toEqual(new Set(['q', 'v'])));
  it('draws adapters by placement', () => {
    expect(layerMarks({ type: 'bottleneck', placement: 'houlsby' })?.adapters).toEqual(new Set(['o', 'down']));
    expect(layerMarks({ type: 'bottleneck', placement: 'pfeiffer' })?.adapters).toEqual(new Set(['down']));
  });
  it('says so when it does not know a method', () => expect(layerMarks({ type: 'new-one' })).toBeNull());
});
