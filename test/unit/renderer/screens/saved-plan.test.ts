import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PlanDraft } from '../../../../renderer/screens/models/draft.svelte.js';
import { keptPlan } from '../../../../renderer/screens/models/saved.svelte.js';
import { StudyDraft } from '../../../../renderer/screens/studies/draft.svelte.js';
import { keptStudy } from '../../../../renderer/screens/studies/saved.svelte.js';
import { restore, store, type Kept } from '../../../../renderer/state/kept.svelte.js';

const save = <S>(kept: Kept<S>) => store(kept.key, JSON.stringify(kept.read()));

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
  save(keptPlan(draft, '1/'));
  const next = new PlanDraft();
  restore(keptPlan(next, '1/'));
  expect(next.seedText).toBe('4, 5');
  expect(next.datasetId).toBe(7);
  expect(next.training.batchSize).toBe(32);
  expect(next.methods.get('lora')).toEqual({ selected: true, options: { rank: 4 }, learningRate: 0.002 });
  const other = new PlanDraft();
  restore(keptPlan(other, '2/'));
  expect(other.seedText).toBe('1, 2, 3');
});

it('leaves aside what does not read as a plan', () => {
  stored.set('plan 3/', '{"seedText": 5}');
  const draft = new PlanDraft();
  restore(keptPlan(draft, '3/'));
  expect(draft.seedText).toBe('1, 2, 3');
  expect(stored.has('plan 3/')).toBe(false);
});

it('keeps the draft of a study, but no path: the window may read only what was chosen since it opened', () => {
  const draft = new StudyDraft();
  draft.load(
    JSON.stringify({ kind: 'forgetting', model: 'm', data: ['d'], methods: [{ type: 'lora', rank: 4 }], seeds: [5] }),
    [],
    [],
  );
  draft.generalText = '/home/me/text.txt';
  draft.sizeText = '8, al';
  draft.setTraining('batchSize', 4);
  draft.chosenData = [3];
  save(keptStudy(draft, 1));
  expect([...stored.values()].join()).not.toContain('/home/me');
  const next = new StudyDraft();
  restore(keptStudy(next, 1));
  expect(next).toMatchObject({
    kind: 'forgetting',
    methods: [{ type: 'lora', rank: 4 }],
    seedText: '5',
    sizeText: '8, al',
    training: { batchSize: 4 },
    chosenData: [3],
    generalText: null,
  });
  stored.set('study 2', '{"kind": "taste"}');
  const other = new StudyDraft();
  restore(keptStudy(other, 2));
  expect(other.kind).toBe('quality');
  expect(stored.has('study 2')).toBe(false);
});
