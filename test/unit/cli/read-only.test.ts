/** Places that may not be written or read, met by the real command as a user who is not root, and on a disk that is mounted read-only. */
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { buildCommand, removeCommand, runCommand } from '../../helpers/command.js';
import { SmallDisk } from '../../helpers/small-disk.js';
import { makeTinyModel, tinyRows } from '../../helpers/tiny-model.js';

// Nothing is forbidden to root: there, the command runs as the user that owns nothing ("nobody").
const root = process.getuid?.() === 0;
const user = root ? 65_534 : undefined;
let folder: string;
/** Why the command cannot be run as that user here; null where it can. */
let hindered: string | null = null;
const at = (...names: string[]) => join(folder, ...names);
const command = (words: readonly string[], home = at('home')) =>
  runCommand([...words, '--home', home], undefined, {}, user);
const refused = (message: RegExp, hint: RegExp) => ({
  code: 1,
  events: expect.arrayContaining([
    { event: 'error', message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string },
  ]) as unknown,
});
const needsUser = (context: TestContext) => context.skip(hindered !== null, hindered ?? '');

beforeAll(async () => {
  if (process.platform === 'win32') {
    hindered = 'Windows has no such permissions';
    return;
  }
  folder = await mkdtemp(join(tmpdir(), 'read-only-'));
  await chmod(folder, 0o755);
  await Promise.all([buildCommand(), makeTinyModel(at('tiny')), mkdir(at('home')), mkdir(at('closed'))]);
  const rows = tinyRows(40).map(({ text, label }) => `${text},${label}`);
  await writeFile(at('rows.csv'), `text,label\n${rows.join('\n')}\n`);
  const plan = { model: 'tiny', data: 'rows', method: { type: 'lora' }, training: { maxSteps: 0, maxLength: 16 } };
  await writeFile(at('plan.json'), JSON.stringify(plan));
  if (user !== undefined) await chown(at('home'), user, user);
  const { code } = await runCommand(['--help'], undefined, {}, user).catch(() => ({ code: -1 }));
  if (code !== 0) {
    hindered = 'the checkout lies where another user may not read';
    return;
  }
  for (const words of [
    ['model', 'add', at('tiny'), '--name', 'tiny'],
    ['data', 'add', at('rows.csv'), '--name', 'rows', '--text', 'text', '--label', 'label'],
    ['run', at('plan.json')],
  ])
    expect(await command(words)).toMatchObject({ code: 0 });
  await chmod(at('closed'), 0o555);
}, 120_000);
afterAll(async () => {
  if (folder === undefined) return;
  await chmod(at('closed'), 0o755);
  await Promise.all([removeCommand(), rm(folder, { recursive: true, force: true })]);
});

it('a data folder that may not be written, empty or with a database', { timeout: 60_000 }, async (context) => {
  needsUser(context);
  expect(await command(['model', 'list'], at('closed'))).toMatchObject(
    refused(/closed\/studio\.db cannot be written/, /permissions .* --home/),
  );
  expect(await command(['model', 'list'], at('closed', 'below'))).toMatchObject(
    refused(/closed\/below: access is denied/, /permissions/),
  );
  await cp(at('home'), at('locked'), { recursive: true });
  const before = await readFile(at('locked', 'studio.db'));
  await chmod(at('locked', 'studio.db'), 0o444);
  await chmod(at('locked'), 0o555);
  expect(await command(['model', 'list'], at('locked'))).toMatchObject(
    refused(/locked\/studio\.db cannot be written/, /permissions/),
  );
  expect((await readFile(at('locked', 'studio.db'))).equals(before)).toBe(true);
  expect((await readdir(at('locked'))).filter((name) => name.includes('damaged'))).toEqual([]);
  await chmod(at('locked'), 0o755);
});

it('a folder to write to: exports and answers', { timeout: 60_000 }, async (context) => {
  needsUser(context);
  expect(await command(['export', '1', '--format', 'peft', '--to', at('closed', 'adapter')])).toMatchObject(
    refused(/closed: access is denied/, /another place/),
  );
  const words = ['predict', '1', '--file', at('rows.csv'), '--text-column', 'text'];
  expect(await command([...words, '--out', at('closed', 'answers.csv')])).toMatchObject(
    refused(/closed\/answers\.csv: access is denied/, /another place/),
  );
  expect(await readdir(at('closed'))).toEqual([]);
});

it('files that may not be read', { timeout: 60_000 }, async (context) => {
  needsUser(context);
  await cp(at('rows.csv'), at('secret.csv'));
  await chmod(at('secret.csv'), 0o200);
  expect(
    await command(['data', 'add', at('secret.csv'), '--name', 's', '--text', 'text', '--label', 'label']),
  ).toMatchObject(refused(/secret\.csv cannot be read: access is denied/, /permissions/));
  await cp(at('tiny'), at('secret'), { recursive: true });
  await chmod(at('secret', 'model.safetensors'), 0o200);
  expect(await command(['model', 'add', at('secret')])).toMatchObject(
    refused(/secret\/model\.safetensors: .*not be read/, /permissions/),
  );
});

it('a run whose folder may not be written says so, and goes on when it may', { timeout: 60_000 }, async (context) => {
  needsUser(context);
  await chmod(at('home', 'runs'), 0o555);
  if (user !== undefined) await chown(at('home', 'runs'), 0, 0);
  expect(await command(['run', at('plan.json')])).toMatchObject(refused(/runs\/2: access is denied/, /permissions/));
  await chmod(at('home', 'runs'), 0o755);
  if (user !== undefined) await chown(at('home', 'runs'), user, user);
  const resumed = await command(['resume', '2']);
  expect(resumed).toMatchObject({ code: 0 });
  expect(resumed.events.at(-1)).toMatchObject({ event: 'result', run: 2 });
});

it('a data folder on a disk that is mounted read-only', { timeout: 60_000 }, async (context) => {
  const disk = SmallDisk.mount(20);
  if (disk === null) return context.skip('no tmpfs can be mounted here');
  try {
    expect(await runCommand(['model', 'list', '--home', disk.folder])).toMatchObject({ code: 0 });
    disk.forbidWriting();
    expect(await runCommand(['model', 'list', '--home', disk.folder])).toMatchObject(
      refused(/studio\.db cannot be written/, /permissions .* --home/),
    );
    expect(await runCommand(['model', 'list', '--home', join(disk.folder, 'new')])).toMatchObject(
      refused(/new: the folder is read-only/, /can be written to/),
    );
  } finally {
    disk.unmount();
  }
});
