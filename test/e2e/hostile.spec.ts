/** The page is taken for hostile: whatever it sends by whatever way, it gets typed answers, reads no file that nobody chose, and the app goes on. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { calls, problemSchema, type CallName } from '../../electron/contract/index.js';
import { requestsOf } from '../helpers/requests.js';
import { expect, test } from './harness.js';

const marker = 'nobody-may-read-this';
const names = Object.keys(calls) as CallName[];
type Asked = readonly [name: string, input: unknown];
/** How each request was answered, in their order. */
const answersSchema = z.array(
  z.object({ name: z.string(), ok: z.boolean(), problem: problemSchema.nullable(), told: z.boolean() }),
);
type Answers = z.infer<typeof answersSchema>;

/** A test of devices takes long and is allowed to anybody: it is the only call that is not made as it should be. */
const harmless = (name: CallName) => name !== 'devices.test';

const expectTyped = (answers: Answers) => {
  const faults = answers.filter(
    ({ ok, problem, told }) => told || (!ok && (!problem?.message || problem.code === 'internal')),
  );
  expect(faults).toEqual([]);
};

test('a hostile page gets typed answers, no foreign file and no other number, and the app goes on', async ({
  studio,
}) => {
  const outside = await mkdtemp(path.join(tmpdir(), 'peft-studio-outside-'));
  try {
    const secret = path.join(outside, 'secret.csv');
    await writeFile(secret, `text,label\n${marker} a,x\n${marker} b,y\n`);
    await mkdir(path.join(outside, 'folder'));
    await writeFile(path.join(outside, 'folder', 'config.json'), JSON.stringify({ model_type: marker }));
    // Who is asked for a file chooses none.
    await studio.inMain(({ dialog }) => {
      dialog.showOpenDialog = async () => ({ canceled: true, filePaths: [] });
      dialog.showSaveDialog = async () => ({ canceled: true, filePath: '' });
    });
    const asked = names
      .filter(harmless)
      .flatMap((name) =>
        [secret, path.join(outside, 'folder'), '../../../../../../etc/passwd', '__proto__'].flatMap((word, seed) =>
          requestsOf(calls[name].input, word, 4, seed).map((input): Asked => [name, input]),
        ),
      );

    await test.step('by the bridge, as the schemas have it', async () => {
      const answers = await fromPage(asked);
      expectTyped(answers);
      expect(new Set(answers.map(({ name }) => name)).size).toBe(names.length - 1);
      expect(answers.filter(({ problem }) => problem?.code === 'no-access').length).toBeGreaterThan(20);
    });

    await test.step('by the bridge, with what is no request', async () => {
      const answers = answersSchema.parse(
        await studio.page.evaluate(
          async ({ every, word }) => {
            const { call } = window.studio as unknown as { call(name: unknown, input: unknown): Promise<unknown> };
            const deep = Array.from({ length: 900 }).reduce<unknown>((inner) => ({ id: inner }), 1);
            const wrong: unknown[] = [
              undefined,
              null,
              true,
              0,
              -1,
              0.5,
              Number.NaN,
              Infinity,
              2n ** 70n,
              '',
              word,
              'x'.repeat(100_000),
              [],
              [[]],
              {},
              { id: -1 },
              { id: 1e300 },
              { id: '1' },
              { id: { valueOf: 1 } },
              { id: [1] },
              { __proto__: { id: 1 } },
              deep,
              new Date(),
              new Map([['id', 1]]),
              new Set([1]),
              new Uint8Array(1000),
              /x/,
              new Error(word),
              () => word,
            ];
            const one = async (name: unknown, input: unknown) => {
              // What cannot be cloned is refused by the bridge itself.
              const answer = (await Promise.resolve()
                .then(() => call(name, input))
                .catch((error: unknown) => ({
                  ok: false,
                  problem: { code: 'bad-input', message: String(error), hint: null, context: {} },
                }))) as { ok: boolean; problem?: unknown };
              return { name: String(name), ok: answer.ok, problem: answer.problem ?? null, told: false };
            };
            const answers = [];
            for (const name of every) answers.push(...(await Promise.all(wrong.map((input) => one(name, input)))));
            for (const name of [
              '',
              'constructor',
              '__proto__',
              'app.info ',
              'App.Info',
              word,
              'x'.repeat(100_000),
              0,
              null,
              {},
              [],
            ])
              answers.push(await one(name, {}));
            return answers;
          },
          // A call without a request may be made with an empty one.
          { every: names.filter(harmless), word: secret },
        ),
      );
      expectTyped(answers);
      expect(answers.length).toBeGreaterThan(2000);
    });

    await test.step('past the bridge, straight to the main process', async () => {
      const answers = answersSchema.parse(
        await studio.inMain(
          async ({ BrowserWindow, ipcMain }, { requests, word }) => {
            const contents = BrowserWindow.getAllWindows()[0]?.webContents;
            const handlers = (ipcMain as unknown as { _invokeHandlers: Map<string, (...all: unknown[]) => unknown> })
              ._invokeHandlers;
            const handle = handlers.get('studio:call');
            if (!contents || !handle) throw new Error('There is no channel.');
            const event = { sender: contents, senderFrame: contents.mainFrame };
            const answers = [];
            const wrong = [
              undefined,
              null,
              1,
              'x',
              [],
              { id: -1 },
              { id: 'x' },
              Symbol.iterator,
              () => 1,
              {
                get id() {
                  throw new Error('trap');
                },
              },
            ];
            const all = [...requests, ...requests.flatMap(([name]) => wrong.map((input) => [name, input] as const))];
            for (const [name, input] of [...all, ...wrong.map((one) => [one, {}] as const)]) {
              const answer = (await handle(event, name, input)) as { ok: boolean; problem?: unknown };
              answers.push({
                name: String(name),
                ok: answer.ok,
                problem: answer.problem ?? null,
                told: JSON.stringify(answer).includes(word),
              });
            }
            return answers;
          },
          { requests: asked.filter((_, at) => at % 8 === 0), word: marker },
        ),
      );
      expectTyped(answers.filter(({ problem }) => problem?.message !== 'trap'));
    });

    await test.step('in floods', async () => {
      const told = await studio.page.evaluate(async () => {
        const { call } = window.studio as unknown as {
          call(name: string, input: unknown): Promise<{ ok: boolean; problem?: { code: string } }>;
        };
        const code = ({ ok, problem }: Awaited<ReturnType<typeof call>>) => (ok ? 'ok' : (problem?.code ?? 'none'));
        const many = await Promise.all(Array.from({ length: 5000 }, (_, id) => call('runs.get', { id: id + 1 })));
        const lists = await Promise.all(Array.from({ length: 500 }, () => call('projects.list', {})));
        const large = await Promise.all([
          call('files.write', { path: '/tmp/x', text: 'x'.repeat(60_000_000) }),
          call('datasets.rows', { id: 1, offset: 0, limit: 1, search: 'x'.repeat(10_000_000) }),
          call('playground.predict', { runIds: Array.from({ length: 1_000_000 }, () => 1), text: 'x' }),
          call('runs.start', { projectId: 1, plans: Array.from({ length: 100_000 }, () => ({})) }),
        ]);
        return [many, lists, large].map((answers) => [...new Set(answers.map(code))]);
      });
      expect(told).toEqual([['not-found'], ['ok'], ['bad-input']]);
    });

    await test.step('and nothing has come of it', async () => {
      expect((await studio.call('app.info', {})).home).toBe(studio.home);
      const jobs = await studio.call('jobs.list', {});
      expect(jobs.filter(({ problem }) => problem?.code === 'internal')).toEqual([]);
      expect(await readdir(outside, { recursive: true })).toEqual(expect.arrayContaining(['secret.csv', 'folder']));
      expect((await readdir(outside, { recursive: true })).length).toBe(3);
      expect(await readFile(secret, 'utf8')).toContain(marker);
      await studio.page.reload();
      await expect(studio.page.getByRole('heading', { level: 1 })).toBeVisible();
    });
  } finally {
    await rm(outside, { recursive: true, force: true });
  }

  /** Sends requests by the bridge; `told`: an answer holds what stands in a file that nobody chose. */
  async function fromPage(requests: readonly Asked[]): Promise<Answers> {
    return answersSchema.parse(
      await studio.page.evaluate(
        async ({ list, word }) => {
          const { call } = window.studio as unknown as {
            call(name: string, input: unknown): Promise<{ ok: boolean; problem?: unknown }>;
          };
          const answers = [];
          for (const [name, input] of list) {
            const answer = await call(name, input);
            answers.push({
              name,
              ok: answer.ok,
              problem: answer.problem ?? null,
              told: JSON.stringify(answer).includes(word),
            });
          }
          return answers;
        },
        { list: requests as [string, unknown][], word: marker },
      ),
    );
  }
});
