import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { calls, planSchema, type Handlers } from '../../../electron/contract/index.js';
import { createDispatch } from '../../../electron/shell/dispatch.js';
import { Grants } from '../../../electron/shell/grants.js';
import { placesOf, requestsOf } from '../../helpers/requests.js';

const code = (work: () => void) => {
  try {
    work();
    return 'allowed';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : 'another error';
  }
};

describe('Grants', () => {
  it('opens a chosen file and nothing beside it', () => {
    const grants = new Grants();
    grants.grant('/data/rows.csv', 'file');
    expect(code(() => grants.check('datasets.inspect', { path: '/data/rows.csv', reading: {} }))).toBe('allowed');
    expect(code(() => grants.check('datasets.inspect', { path: '/data/other.csv', reading: {} }))).toBe('no-access');
    expect(code(() => grants.check('datasets.inspect', { path: '/data/rows.csv/below', reading: {} }))).toBe(
      'no-access',
    );
  });

  it('opens a chosen folder with everything below, but no sibling whose name begins alike', () => {
    const grants = new Grants();
    grants.grant('/models/mini', 'folder');
    expect(code(() => grants.check('models.add', { folder: '/models/mini' }))).toBe('allowed');
    expect(code(() => grants.check('models.add', { folder: path.join('/models/mini', 'deeper', 'still') }))).toBe(
      'allowed',
    );
    expect(code(() => grants.check('models.add', { folder: '/models/mini-other' }))).toBe('no-access');
  });

  it.each(['/models/mini/../secret', 'rows.csv', './models/mini', '/models/mini\0/x'])(
    'is not talked around by %j',
    (folder) => {
      const grants = new Grants();
      grants.grant('/models/mini', 'folder');
      expect(code(() => grants.check('models.inspect', { folder }))).toBe('no-access');
    },
  );

  it('checks every path of a request', () => {
    const grants = new Grants();
    grants.grant('/in.csv', 'file');
    const request = { runId: 1, path: '/in.csv', textColumn: 'text', pairColumn: null, out: '/out.csv', report: false };
    expect(code(() => grants.check('playground.predictFile', request))).toBe('no-access');
    grants.grant('/out.csv', 'file');
    expect(code(() => grants.check('playground.predictFile', request))).toBe('allowed');
  });

  it('lets a plan name a base model, but a folder only when it was chosen', () => {
    const grants = new Grants();
    const request = (model: string) => ({
      projectId: 1,
      plan: planSchema.parse({ model, data: 'rows', method: { type: 'lora' } }),
    });
    expect(code(() => grants.check('runs.estimate', request('starter')))).toBe('allowed');
    expect(code(() => grants.check('runs.estimate', request('org/starter')))).toBe('allowed');
    expect(code(() => grants.check('runs.estimate', request('/models/mini')))).toBe('no-access');
    expect(code(() => grants.check('runs.estimate', request('../mini')))).toBe('no-access');
  });

  it('shows what the studio named without opening it for reading', () => {
    const grants = new Grants();
    grants.grantShow('/home/exports/1');
    expect(code(() => grants.checkShow('/home/exports/1/adapter_config.json'))).toBe('allowed');
    expect(code(() => grants.checkShow('/etc'))).toBe('no-access');
    expect(grants.allows('/home/exports/1')).toBe(false);
  });

  it('ignores case where the file system does', () => {
    const grants = new Grants((file) => file.toLowerCase());
    grants.grant('/Data/Rows.csv', 'file');
    expect(grants.allows('/data/rows.CSV')).toBe(true);
  });
});

/** Where a call reads a name, or words that are no path; `files.show` looks at its path itself. */
const names = new RegExp(
  [
    '^advice.ask: place$',
    '^chat.generate: (sampling.stop|speakers.asked.(text|messages.content))$',
    '^compositions.(check|start): (data|top.type)$',
    '^datasets.rows: (amongLabels|entity|label|search)$',
    '^files.(choose: suggestedName|show: path)$',
    '^jobs.cancel: jobId$',
    '^playground.predict: (pair|text)$',
    '^projects.(create|createSample|duplicate|find|update): (description|name|sample)$',
    '^samples.import: sample$',
    '^runs.scoreWording: wording$',
    '^studies.rename: name$',
    '^(runs|studies|models|refinements|further)\\.\\w+: ((plans?|matrix|study|from\\.plan)\\.)?(data|name|methods?.type|composition.parts.name|verbalizer.(template|words.*))$',
  ].join('|'),
);

it('lets no path of any call through but to where only names are read', async () => {
  const foreign = '/etc/foreign';
  const reached = new Set<string>();
  const valid = new Set<string>();
  for (const [name, { input }] of Object.entries(calls)) {
    const handler = async (request: unknown) => {
      for (const place of placesOf(request, foreign)) reached.add(`${name}: ${place}`);
    };
    const dispatch = createDispatch({ [name]: handler } as unknown as Handlers, new Grants());
    for (const request of requestsOf(input, foreign, 200, 1)) {
      if (input.safeParse(request).success) valid.add(name);
      await dispatch(name, request);
    }
  }
  // Requests of every call got past its schema, so that it is the grants that are tried.
  expect(Object.keys(calls).filter((name) => !valid.has(name))).toEqual([]);
  expect([...reached].filter((place) => !names.test(place))).toEqual([]);
});
