import { describe, expect, it } from 'vitest';
import { layerMarks, layerParts, partsOfTarget, shapeFacts } from '../../../../renderer/state/layer-parts.js';

describe('partsOfTarget', () => {
  it.each([
    ['query', ['q']],
    ['attention.self.value', ['v']],
    ['q_lin', ['q']],
    ['out_lin', ['o']],
    ['attention.output.dense', ['o']],
    ['intermediate.dense', ['up']],
    ['output.dense', ['o', 'down']],
    ['encoder.layer.3.output.dense', ['down']],
    ['lin2', ['down']],
    ['dense', ['o', 'up', 'down']],
    ['bert.encoder.layer.2.intermediate.dense', ['up']],
    ['nothing', []],
  ])('%s', (target, parts) => expect(partsOfTarget(target)).toEqual(parts));
});

describe('layerMarks', () => {
  it('marks every part for full fine-tuning and none for the head', () => {
    expect(layerMarks({ type: 'full' })?.trained).toEqual(new Set(layerParts));
    expect(layerMarks({ type: 'head' })?.trained.size).toBe(0);
  });
  it('draws low-rank pairs where LoRA acts', () =>
    expect(layerMarks({ type: 'lora', targetModules: ['query', 'value'] })?.lowRank).toEqual(new Set(['q', 'v'])));
  it('draws query and value where no target is named, and what an expression matches', () => {
    expect(layerMarks({ type: 'lora' })?.lowRank).toEqual(new Set(['q', 'v']));
    expect(layerMarks({ type: 'lora', targetModules: '.*\\.layer\\.[12]\\.attention\\.self\\.key' })?.lowRank).toEqual(
      new Set(['k']),
    );
    expect(layerMarks({ type: 'lora', targetModules: '(' })?.lowRank.size).toBe(0);
  });
  it('draws adapters by placement', () => {
    expect(layerMarks({ type: 'bottleneck', placement: 'houlsby' })?.adapters).toEqual(new Set(['o', 'down']));
    expect(layerMarks({ type: 'bottleneck', placement: 'pfeiffer' })?.adapters).toEqual(new Set(['down']));
  });
  it('says so when it does not know a method', () => expect(layerMarks({ type: 'new-one' })).toBeNull());
});

describe('shapeFacts', () => {
  it('sizes the matrices of LoRA and the layers of an adapter', () => {
    expect(shapeFacts({ type: 'lora', rank: 8, alpha: 16 }, 1024)).toEqual([
      'A 8 × 1,024',
      'B 1,024 × 8',
      'alpha / r = 2',
    ]);
    expect(shapeFacts({ type: 'bottleneck', reductionFactor: 16 }, 384)).toEqual(['down 24 × 384', 'up 384 × 24']);
  });
  it('says nothing where nothing is added or known', () => {
    expect(shapeFacts({ type: 'full' }, 384)).toEqual([]);
    expect(shapeFacts({ type: 'lora' }, 384)).toEqual([]);
  });
});
