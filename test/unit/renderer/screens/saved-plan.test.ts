import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PlanDraft } from '../../../../renderer/screens/models/draft.svelte.js';
import { restoreDraft, storeDraft, textOf } from '../../../../renderer/screens/models/saved.svelte.js';

let stored: Map<string, string>;
beforeEach(() => {
  stored = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

it('keeps a plan that is edited, and takes it up again, each project its own', () => {
  const draft = new PlanDraft();
  draft.seedText = '4, 5';
  draft.datasetId = 7;
  draft.setTraining('batchSize', 32);
  draft.methods.set('lora', { selected: true, options: { rank: 4 }, learningRate: 0.002 });
  storeDraft(textOf(draft), '1/');
  const next = new PlanDraft();
  restoreDraft(next, '1/');
  expect(next.seedText).toBe('4, 5');
  expect(next.datasetId).toBe(7);
  expect(next.training.batchSize).toBe(32);
  expect(next.methods.get('lora')).toEqual({ selected: true, options: { rank: 4 }, learningRate: 0.002 });
  const other = new PlanDraft();
  restoreDraft(other, '2/');
  expect(other.seedText).toBe('1, 2, 3');
});

it('leaves aside what does not read as a plan', () => {
  stored.set('plan 3/', '{"seedText": 5}');
  const draft = new PlanDraft();
  restoreDraft(draft, '3/');
  expect(draft.seedText).toBe('1, 2, 3');
  expect(stored.has('plan 3/')).toBe(false);
});
