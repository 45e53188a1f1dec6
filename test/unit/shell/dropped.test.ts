import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantDropped } from '../../../electron/shell/dropped.js';
import { Grants } from '../../../electron/shell/grants.js';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'peft-studio-drop-'));
  await mkdir(path.join(home, 'model'));
  await writeFile(path.join(home, 'rows.csv'), 'a,b\n');
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe('grantDropped', () => {
  it('opens a file alone and a folder with what is below', async () => {
    const grants = new Grants();
    const [file, folder] = [path.join(home, 'rows.csv'), path.join(home, 'model')];
    expect(await grantDropped([file, folder], grants)).toEqual([
      { path: file, kind: 'file' },
      { path: folder, kind: 'folder' },
    ]);
    expect(grants.allows(file)).toBe(true);
    expect(grants.allows(path.join(folder, 'config.json'))).toBe(true);
    expect(grants.allows(path.join(home, 'other.csv'))).toBe(false);
  });

  it('tells a folder that holds the result of a plan that was taken to peft, itself or in its project', async () => {
    const project = path.join(home, 'for-peft');
    const result = path.join(project, 'result');
    await mkdir(result, { recursive: true });
    await writeFile(path.join(result, 'result.json'), '{}');
    expect(await grantDropped([project, result], new Grants())).toEqual([
      { path: project, kind: 'folder', result: true },
      { path: result, kind: 'folder', result: true },
    ]);
  });

  it.each([
    ['what is not there', ['/not/there.csv']],
    ['something else than a list', 'rows.csv'],
    ['an empty list', []],
    ['a list of other things', [{ path: '/etc/hosts' }]],
    ['too many at once', Array.from({ length: 17 }, () => '/etc/hosts')],
  ])('grants nothing for %s', async (_what, sent) => {
    const grants = new Grants();
    expect(await grantDropped(sent, grants)).toEqual([]);
    expect(grants.allows('/etc/hosts')).toBe(false);
  });
});
