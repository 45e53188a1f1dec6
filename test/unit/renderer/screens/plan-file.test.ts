/** A plan's file opened before the window has read what it names. */
import { afterEach, expect, it, vi } from 'vitest';
import { askedPlanSchema, baseModelSchema } from '../../../../electron/contract/index.js';
import { models } from '../../../../renderer/state/library.svelte.js';
import { parseRoute, router } from '../../../../renderer/state/router.svelte.js';
import { toasts } from '../../../../renderer/state/toasts.svelte.js';
import { draftOf } from '../../../../renderer/screens/models/draft.svelte.js';
import { openPlanFile } from '../../../../renderer/screens/plan-file.js';

const starter = baseModelSchema.parse({
  id: 4,
  name: 'Starter',
  folder: '/models/starter',
  architecture: 'bert',
  parameters: 1,
  layers: 1,
  hiddenSize: 1,
  vocabularySize: 1,
  maxLength: 1,
  bytes: 1,
  builtIn: true,
  addedAt: '2026-11-24T21:13:00.000Z',
  license: null,
});

afterEach(() => vi.unstubAllGlobals());

it('waits for the base models that it names', async () => {
  const plan = askedPlanSchema.parse({ model: 'Starter', data: 'elsewhere', method: { type: 'lora' } });
  const known: Readonly<Record<string, unknown>> = {
    'plans.read': { asked: { kind: 'plan', plan } },
    'models.list': [starter],
  };
  const call = async (name: string) => ({ ok: true, value: known[name] ?? [] });
  vi.stubGlobal('window', { studio: { call, on: () => () => undefined } });
  vi.stubGlobal('location', { hash: '' });
  models.clear();
  router.route = parseRoute('#/project/1/models');
  expect(await openPlanFile('/plan.json')).toBe(true);
  expect(draftOf(1).modelId).toBe(4);
  const told = toasts.list.map(({ text }) => text).join(' ');
  expect(told).toContain('the data set elsewhere');
  expect(told).not.toContain('Starter');
});
