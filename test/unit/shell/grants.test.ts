import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { planSchema } from '../../../electron/contract/index.js';
import { Grants } from '../../../electron/shell/grants.js';

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
