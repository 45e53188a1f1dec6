/** The command end to end: every process real, the model tiny. */
import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metrics, openDatabase } from '../../../electron/storage/index.js';
import { buildCommand, removeCommand, runCommand, type Ended, type PrintedEvent } from '../../helpers/command.js';
import { makeTinyModel, tinyLabels, tinyRows } from '../../helpers/tiny-model.js';

let folder: string;
/** What the first run told. */
let trained: readonly PrintedEvent[] = [];
const at = (name: string) => join(folder, name);
const command = (words: readonly string[], onEvent?: Parameters<typeof runCommand>[1]) =>
  runCommand([...words, '--home', at('home')], onEvent);
const csv = (count: number, seed: number) =>
  `text,label\n${tinyRows(count, seed)
    .map(({ text, label }) => `${text},${label}`)
    .join('\n')}\n`;

async function plan(name: string, method: object, training: object): Promise<string> {
  const file = at(`${name}.json`);
  await writeFile(
    file,
    JSON.stringify({
      model: 'tiny',
      data: 'topics',
      method,
      training: { batchSize: 8, maxLength: 32, learningRate: 0.01, validateEverySteps: 10, maxSteps: 20, ...training },
    }),
  );
  return file;
}

const lora = { type: 'lora', rank: 4, alpha: 8, dropout: 0.1, targetModules: ['query', 'value'] };
const keys = (event: PrintedEvent | undefined) => Object.keys(event ?? {});
const ofKind = ({ events }: Ended, kind: string) => events.filter(({ event }) => event === kind);
const losses = (events: readonly PrintedEvent[]) =>
  new Map(events.filter(({ event }) => event === 'step').map(({ step, loss }) => [step, loss]));
async function logOf(run: number): Promise<string[]> {
  const { database } = await openDatabase(at('home'));
  try {
    return (await metrics.readHistory(database, run, 0)).log.map(({ message }) => message);
  } finally {
    await database.close();
  }
}
const resultKeys = [
  'event',
  'run',
  'test',
  'trainableParameters',
  'totalParameters',
  'secondsPerStep',
  'peakMemoryBytes',
  'checkpointBytes',
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-'));
  await Promise.all([
    buildCommand(),
    makeTinyModel(at('tiny')),
    writeFile(at('train.csv'), csv(200, 1)),
    writeFile(at('test.csv'), csv(60, 2)),
  ]);
}, 120_000);
afterAll(removeCommand);

describe('peft-studio', { timeout: 180_000 }, () => {
  it('takes a model and data', async () => {
    const model = await command(['model', 'add', at('tiny'), '--name', 'tiny']);
    expect(model).toMatchObject({ code: 0, events: [{ event: 'model', name: 'tiny', architecture: 'bert' }] });
    const data = await command([
      'data',
      'add',
      at('train.csv'),
      '--name',
      'topics',
      '--task',
      'classification',
      '--text',
      'text',
      '--label',
      'label',
      '--validation',
      '0.1',
      '--test',
      at('test.csv'),
      '--seed',
      '3',
    ]);
    expect(data).toMatchObject({
      code: 0,
      events: [{ event: 'data', name: 'topics', labels: tinyLabels, rows: { train: 180, validation: 20, test: 60 } }],
    });
    expect(ofKind(await command(['data', 'show', 'topics']), 'profile')).toMatchObject([
      { data: 'topics', rows: { train: 180 } },
    ]);
  });

  it('trains, and tells each step once in order', async () => {
    const ended = await command(['run', await plan('lora', lora, {})]);
    expect(ended).toMatchObject({ code: 0 });
    trained = ended.events;
    expect(ended.events[0]).toEqual({ event: 'start', run: 1 });
    const steps = ofKind(ended, 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(keys(steps[0])).toEqual(['event', 'step', 'loss', 'learningRate', 'tokensPerSecond']);
    expect(ofKind(ended, 'validation').map(({ step }) => step)).toEqual([10, 20]);
    const result = ended.events.at(-1);
    expect(keys(result)).toEqual(resultKeys);
    expect(result).toMatchObject({
      event: 'result',
      run: 1,
      test: { accuracy: expect.any(Number), macroF1: expect.any(Number), loss: expect.any(Number) },
    });
  });

  it('answers a text, and a file row by row', async () => {
    const one = await command(['predict', '1', '--text', 'a hammer near the old saw']);
    expect(one).toMatchObject({ code: 0, events: [{ event: 'prediction', row: 0 }] });
    const many = await command([
      'predict',
      '1',
      '--file',
      at('test.csv'),
      '--text-column',
      'text',
      '--out',
      at('answers.csv'),
    ]);
    expect(many.code).toBe(0);
    expect(many.events.map(({ event, row }) => [event, row])).toEqual(
      Array.from({ length: 60 }, (_, row) => ['prediction', row]),
    );
    for (const { label, probabilities } of many.events) {
      const entries = Object.entries(probabilities as Record<string, number>);
      expect(entries.map(([name]) => name)).toEqual(tinyLabels);
      expect(entries.reduce((sum, [, value]) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(entries.sort(([, a], [, b]) => b - a)[0]?.[0]).toBe(label);
    }
    expect((await readFile(at('answers.csv'), 'utf8')).trim().split('\r\n')).toHaveLength(61);
  });

  it('exports with proof; a run starts from the export', async () => {
    const exportedTest = trained.at(-1)?.['test'];
    const exported = await command(['export', '1', '--format', 'peft', '--to', at('peft')]);
    expect(exported).toMatchObject({
      code: 0,
      events: [{ event: 'export', run: 1, format: 'peft', folder: at('peft'), proof: { sameLabels: true } }],
    });
    await access(at('peft/adapter_config.json'));
    const run = (await command(['run', await plan('from-export', lora, { maxSteps: 0 }), '--init', at('peft')])).events;
    expect(run.map(({ event }) => event)).toEqual(['start', 'validation', 'result']);
    expect(run[1]).toMatchObject({ step: 0, best: true });
    // The start is measured as any other run: it scores what the exported one scored.
    expect(run[2]?.['test']).toEqual(exportedTest);
    // Parameters that did not move answer as the exported run did.
    const again = (await command(['predict', '2', '--text', 'soup and bread'])).events[0];
    const before = (await command(['predict', '1', '--text', 'soup and bread'])).events[0];
    expect(again).toEqual(before);
  });

  it('trains a matrix and compares it with full fine-tuning', async () => {
    await writeFile(
      at('matrix.json'),
      JSON.stringify({
        model: 'tiny',
        data: 'topics',
        methods: [lora, { type: 'full' }],
        seeds: [1, 2],
        training: { batchSize: 8, maxLength: 32, learningRate: 0.005, maxSteps: 6 },
      }),
    );
    const ended = await command(['compare', '--plan', at('matrix.json')]);
    expect(ended.code).toBe(0);
    expect(
      ended.events
        .filter(({ event }) => event === 'start' || event === 'result')
        .map(({ event, run }) => `${event} ${String(run)}`),
    ).toEqual([3, 4, 5, 6].flatMap((run) => [`start ${run}`, `result ${run}`]));
    expect(ended.events.at(-1)).toMatchObject({
      event: 'comparison',
      testRows: 60,
      rows: expect.arrayContaining([
        expect.objectContaining({ type: 'full', baseline: true, runs: [5, 6] }),
        expect.objectContaining({
          type: 'lora',
          runs: [3, 4],
          difference: expect.objectContaining({ pairedSeeds: 2 }),
        }),
      ]),
    });
  });

  it('goes on after kill -9, to the same losses', async () => {
    const file = await plan('long', lora, { maxSteps: 240, validateEverySteps: 80, checkpointEverySteps: 20 });
    const whole = await command(['run', file]);
    expect(losses(whole.events).size).toBe(240);
    const killed = await command(['run', file], ({ event, step }, child) => {
      if (event === 'step' && step === 60) child.kill('SIGKILL');
    });
    expect(killed.code).toBe(null);
    expect(ofKind(killed, 'result')).toEqual([]);
    const run = String(killed.events[0]?.['run']);
    expect(run).toBe('8');
    const resumed = await command(['resume', run]);
    expect(resumed).toMatchObject({ code: 0, events: expect.arrayContaining([{ event: 'start', run: 8 }]) });
    // Not from its first step anew. (Steps that the killed command had not stored yet are told once more, so these do not show it.)
    const [, after] = /Resumed after step (\d+)/.exec((await logOf(8)).join('\n')) ?? [];
    expect(Number(after)).toBeGreaterThanOrEqual(20);
    expect(losses([...killed.events, ...resumed.events])).toEqual(losses(whole.events));
    expect(resumed.events.at(-1)?.['test']).toEqual(whole.events.at(-1)?.['test']);
  });

  it.skipIf(process.platform === 'win32')('pauses on Ctrl-C and says how to go on', async () => {
    const ended = await command(['run', await plan('paused', lora, { maxSteps: 5000 })], ({ event, step }, child) => {
      if (event === 'step' && step === 5) child.kill('SIGINT');
    });
    expect(ended.code).toBe(130);
    const last = ended.events.at(-1);
    expect(last).toMatchObject({ event: 'paused', run: 9 });
    expect(Number(last?.['step'])).toBe(ofKind(ended, 'step').length);
  });

  it('refuses with one line and exit code 1', async () => {
    await writeFile(at('broken.json'), JSON.stringify({ model: 'tiny', data: 'topics', method: { ...lora, rnk: 3 } }));
    for (const [words, message, hint] of [
      [['run', at('broken.json')], /^method\.rnk: /, /rank/],
      [['run', at('none.json')], /none\.json/, /./],
      [['resume', '99'], /no run 99/, /./],
      [['resume', '1'], /finished/, /./],
      [['sing'], /no command "sing"/, /model add/],
      [['run', at('lora.json'), '--speed', '9'], /--speed/, /peft-studio run/],
    ] as const) {
      const { code, events } = await command(words);
      expect(code).toBe(1);
      expect(events).toEqual([
        { event: 'error', message: expect.stringMatching(message), hint: expect.stringMatching(hint) },
      ]);
    }
  });

  it('composes finished runs', async () => {
    const [first] = trained;
    const second = await command(['run', await plan('again', lora, { seed: 5 })]);
    const [one, two] = [first?.['run'], ofKind(second, 'start')[0]?.['run']];
    const mean = await command(['compose', `${String(one)}=0.25`, `${String(two)}=0.75`, '--average']);
    expect(mean.code).toBe(0);
    expect(ofKind(mean, 'validation')).toHaveLength(1);
    expect(ofKind(mean, 'result')[0]?.['test']).not.toBeNull();
    const run = String(ofKind(mean, 'start')[0]?.['run']);
    expect((await command(['predict', run, '--text', 'a'])).code).toBe(0);
    const checked = await command(['compose', String(one), `${run}=-1`, '--add', '--check']);
    expect(checked.events).toMatchObject([{ event: 'composition', methodName: 'LoRA', possible: true, trains: false }]);
    const refused = await command(['compose', String(one), String(two), '--fusion']);
    expect(refused).toMatchObject({
      code: 1,
      events: [{ event: 'error', message: expect.stringMatching(/LoRA is no adapter/) as string }],
    });
  });
});
