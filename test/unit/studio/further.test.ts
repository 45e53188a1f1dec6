/**
 * A plan as a project for peft, and its result taken back. What Python would answer is a local run's own answers here; with the
 * environment variable PEFT_STUDIO_PYTHON (a Python with torch, transformers, peft and accelerate) it is the program itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../../electron/contract/entities.js';
import type { AskedPlan } from '../../../electron/contract/plan.js';
import { shuffledOrder } from '../../../electron/data/random.js';
import { listMethods } from '../../../electron/engine/index.js';
import { writeResult } from '../../helpers/further.js';
import { openTestStudio, type TestStudio } from '../../helpers/studio.js';
import { makeTinyModel, tinyRows, uniforms } from '../../helpers/tiny-model.js';
import { removeBundles } from '../../helpers/trainer-process.js';

const python = process.env['PEFT_STUDIO_PYTHON'];
const anyPython = ['python3', 'python'].find(
  (name) => spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0,
);
const sources = resolve('native-assets', 'further');

let studio: TestStudio;
let projectId = 0;

beforeAll(async () => {
  studio = await openTestStudio();
  await makeTinyModel(join(studio.home, 'tiny'), { dropout: 0 });
  const { handlers } = studio;
  projectId = (await handlers['projects.create']({ name: 'Further', description: '' })).id;
  await handlers['models.add']({ folder: join(studio.home, 'tiny'), name: 'tiny' });
  const rows = tinyRows(120).map(({ text, label }) => ({ text, topic: label }));
  await studio.importRows(projectId, 'topics', rows, {
    textColumn: 'text',
    labelColumn: 'topic',
    validation: 0.2,
    test: 0.25,
  });
  const numbers = uniforms(5);
  const lengths = tinyRows(90).map(({ text }) => ({ text, length: (text.length / 10 + numbers()).toFixed(2) }));
  await studio.importRows(projectId, 'lengths', lengths, {
    task: 'regression',
    textColumn: 'text',
    labelColumn: 'length',
    validation: 0.2,
    test: 0.25,
  });
  const several = tinyRows(90).map(({ text, label }) => ({
    text,
    labels: text.length > 24 ? [label, 'long'] : [label],
  }));
  await studio.importRows(projectId, 'several', several, {
    task: 'multi-label',
    textColumn: 'text',
    labels: { form: 'list', column: 'labels' },
    validation: 0.2,
    test: 0.25,
  });
}, 60_000);
afterAll(async () => {
  await studio.close();
  await studio.remove();
  await removeBundles();
});

const training = { maxSteps: 12, batchSize: 8, maxLength: 24, learningRate: 0.01, validateEverySteps: 6 };
const planOf = (method: AskedPlan['method'], more: Partial<AskedPlan> = {}): AskedPlan =>
  ({ model: 'tiny', data: 'topics', method, training, device: 'cpu', ...more }) as AskedPlan;
const lora = { type: 'lora', rank: 4, targetModules: ['query', 'value'] };

async function written(name: string, plan: AskedPlan): Promise<string> {
  const folder = join(studio.home, 'out', name);
  const job = await studio.handlers['further.write']({ projectId, from: { plan }, folder, model: true });
  await studio.finished(job);
  return folder;
}
const json = async (...path: string[]) => JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;
const reason = async (plan: AskedPlan) =>
  (await studio.handlers['further.check']({ projectId, from: { plan } })).reason;
const takenBack = async (folder: string): Promise<Run> => {
  const { result } = await studio.finished(await studio.handlers['further.back']({ projectId, folder }));
  return studio.handlers['runs.get']({ id: (result as { runId: number }).runId });
};

/** A result as train.py writes it, of a finished run here: its peft folder, and the logarithms of its probabilities. */
async function resultOf(folder: string, run: Run): Promise<string> {
  const { handlers } = studio;
  const out = join(folder, 'result');
  await mkdir(out);
  await studio.finished(
    await handlers['exports.start']({ runId: run.id, format: 'peft', folder: join(out, 'trained') }),
  );
  const { rows } = await handlers['datasets.rows']({ id: run.datasetId, offset: 0, limit: 1000, split: 'test' });
  const texts = await Promise.all(
    rows.map(({ text, pair }) => handlers['playground.predict']({ runIds: [run.id], text, pair, untrained: false })),
  );
  const labels = (await handlers['datasets.get']({ id: run.datasetId })).labels;
  await writeResult(folder, out, {
    logits: texts.map(([answer]) => labels.map((label) => Math.log(answer!.probabilities[label]!))),
    test: run.result!.test,
    validation: run.result!.validation,
  });
  return out;
}

describe('a plan written for peft', () => {
  it('holds the rows as the run uses them, the plan whole, what trains and the program', async () => {
    const folder = await written(
      'lora',
      planOf(lora, { training: { ...training, examplesPerClass: 5, seed: 3 } as never }),
    );
    const setup = await json(folder, 'setup.json');
    expect(setup).toMatchObject({
      objective: 'classification',
      labels: ['animal', 'food', 'tool'],
      trains: {
        peft: {
          peft_type: 'LORA',
          r: 4,
          lora_alpha: 16,
          target_modules: ['query', 'value'],
          modules_to_save: ['classifier', 'score'],
        },
        weights: null,
      },
      drawn: { examplesPerClass: 5, seed: 3 },
      data: { train: { rows: 15 }, test: { rows: 30 } },
    });
    const train = (await readFile(join(folder, 'data', 'train.jsonl'), 'utf8')).trim().split('\n');
    expect(train).toHaveLength(15);
    expect(Object.keys(JSON.parse(train[0]!) as object)).toEqual(['text', 'pair', 'label']);
    expect(await json(folder, 'plan.json')).toMatchObject({
      training: { seed: 3, schedule: 'linear', gradientClip: 1 },
    });
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('accelerate launch train.py');
    expect(await json(folder, 'model', 'config.json')).toMatchObject({ model_type: 'bert' });
    await expect(written('lora', planOf(lora))).rejects.toThrow(/is not empty/);
    const rounded = await written('rounded', planOf(lora, { training: { ...training, loadIn8bit: true } as never }));
    expect(await readFile(join(rounded, 'README.md'), 'utf8')).toContain('computes them in float32');
  });

  it('names the weights that train of a method that adds none, and refuses with the reason what peft cannot train', async () => {
    const bitfit = await json(await written('bitfit', planOf({ type: 'bitfit' })), 'setup.json');
    expect(bitfit['trains']).toMatchObject({ peft: null });
    expect((bitfit['trains'] as { weights: string[] }).weights).toContain('bert.encoder.layer.0.output.dense.bias');
    const told: Record<string, string> = {};
    for (const { type } of listMethods()) {
      if (['stack', 'fusion'].includes(type)) continue;
      told[type] = (await reason(planOf({ type }))) ?? 'goes';
    }
    expect(told).toMatchInlineSnapshot(`
      {
        "adalora": "goes",
        "bitfit": "goes",
        "bottleneck": "Bottleneck cannot be taken to peft: peft does not have it.",
        "compacter": "Compacter cannot be taken to peft: peft does not have it.",
        "full": "goes",
        "head": "goes",
        "ia3": "goes",
        "loha": "goes",
        "lokr": "goes",
        "lora": "goes",
        "mam": "MAM cannot be taken to peft: peft does not have it.",
        "mixer": "Mixer cannot be taken to peft: peft does not have it.",
        "p-tuning": "goes",
        "prefix": "Prefix tuning cannot be taken to peft: peft 0.21 hands a prefix to the model by an argument that transformers 5 no longer has, so it trains none there.",
        "progressive": "Progressive unfreezing cannot be taken to peft: it trains in stages, which peft does not have.",
        "prompt": "goes",
        "prompt-search": "verbalizer: tiny has no language-model head (its weights do not hold cls.predictions.transform.dense.weight), so it cannot say which word fits.",
        "unipelt": "UniPELT cannot be taken to peft: peft does not have it.",
        "vera": "goes",
      }
    `);
    expect(await reason(planOf({ type: 'lora', initialization: 'pissa' }))).toMatch(/PiSSA/);
  });

  it('writes the numbers of a regression as standard scores are made of them, and class weights as numbers', async () => {
    const numbers = await json(await written('numbers', planOf(lora, { data: 'lengths' })), 'setup.json');
    expect(numbers).toMatchObject({ objective: 'regression', labels: null, classWeights: null });
    expect((numbers['standard'] as { scale: number }).scale).toBeGreaterThan(0);
    const weighted = planOf(lora, { training: { ...training, classWeights: 'balanced' } as never });
    const { classWeights } = await json(await written('weighted', weighted), 'setup.json');
    expect(classWeights).toHaveLength(3);
  });
});

describe.runIf(anyPython)('the program in Python', () => {
  it('is Python, orders rows as the studio does, and measures as it does', () => {
    const run = (code: string) =>
      spawnSync(anyPython!, ['-c', code], {
        cwd: sources,
        encoding: 'utf8',
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      });
    const parsed = run(
      "import ast; [ast.parse(open(f, encoding='utf-8').read()) for f in ('train.py', 'rows.py', 'measures.py')]",
    );
    expect(parsed.stderr).toBe('');
    const cases = [
      [1, 1, 0],
      [2, 7, 1],
      [3, 5, 2],
      [50, 4_294_967_295, 4],
      [1000, 123, 0],
    ] as const;
    const ordered = run(
      `import json; from rows import order_of; print(json.dumps([order_of(*case, True) for case in ${JSON.stringify(cases)}]))`,
    );
    expect(JSON.parse(ordered.stdout)).toEqual(
      cases.map(([size, seed, epoch]) => [...shuffledOrder(size, seed, epoch)]),
    );
    const parts = run(
      'import json; from rows import parts_of; print(json.dumps([parts_of([1, 2, 3, 4, 5], 2), parts_of([1], 4)]))',
    );
    expect(JSON.parse(parts.stdout)).toEqual([
      [
        [1, 2, 3],
        [4, 5],
      ],
      [[1]],
    ]);
  });
});

describe('a result taken back', () => {
  let run: Run;
  let folder = '';
  beforeAll(async () => {
    const { handlers } = studio;
    const started = await handlers['runs.start']({
      projectId,
      plans: [planOf(lora), planOf({ type: 'full' })],
      initFolder: null,
    });
    for (const { id } of started) expect((await studio.ended(id)).state).toBe('finished');
    run = await handlers['runs.get']({ id: started[0]!.id });
    folder = await written('back', planOf(lora));
    await resultOf(folder, run);
  }, 120_000);

  it('is a finished run, marked, proved, with its answers to the same test rows, and no figure of time or memory', async () => {
    const back = await takenBack(folder);
    expect(back).toMatchObject({
      state: 'finished',
      setting: 'r 4, query value, trained elsewhere',
      plan: { training: { maxSteps: 12 } },
      result: {
        secondsPerStep: null,
        peakMemoryBytes: null,
        elsewhere: { device: 'cluster', processes: 2, proof: { rows: 30 } },
      },
    });
    expect(back.result!.elsewhere!.proof.largestDifference).toBeLessThan(1e-4);
    expect(back.result!.test!.macroF1).toBeCloseTo(run.result!.test!.macroF1!, 6);
    expect(back.result!.test!.macroF1Interval).toEqual(run.result!.test!.macroF1Interval);
    const compared = await studio.handlers['compare.runs']({
      projectId,
      datasetId: back.datasetId,
      modelId: back.modelId,
      runIds: null,
      measure: null,
      zone: 1,
    });
    const rows = compared.rows.filter(({ type }) => type === 'lora');
    expect(rows).toHaveLength(2);
    const [here, there] = [rows.find(({ elsewhere }) => !elsewhere)!, rows.find(({ elsewhere }) => elsewhere)!];
    // Paired with the same full fine-tuning on the same rows, from the same answers.
    expect(there.difference).toEqual(here.difference);
    expect(there.difference?.pairedSeeds).toBe(1);
    expect(there).toMatchObject({
      secondsPerStep: null,
      peakMemoryBytes: null,
      trainingSeconds: null,
      runs: [back.id],
    });
    expect(compared.notes.join(' ')).toMatch(/trained on cluster/);
    // It is used like any run.
    const [answer] = await studio.handlers['playground.predict']({
      runIds: [back.id],
      text: 'an old cat',
      pair: null,
      untrained: false,
    });
    expect(answer!.problem).toBeNull();
    await expect(takenBack(folder)).rejects.toThrow(new RegExp(`as run ${back.id}`));
  }, 60_000);

  it('is refused where answers, data, setup or plan are not those that it tells', async () => {
    const out = join(folder, 'result');
    const whole = await readFile(join(out, 'result.json'), 'utf8');
    const told = JSON.parse(whole) as {
      test: { logits: number[][]; scores: object };
      plan: { method: object; training: object };
    };
    const changed = async (change: object, expected: RegExp) => {
      await writeFile(join(out, 'result.json'), JSON.stringify({ ...told, ...change }));
      await expect(takenBack(folder)).rejects.toThrow(expected);
    };
    const flipped = told.test.logits.map((row) => [...row].reverse());
    await changed({ test: { ...told.test, logits: flipped } }, /its answers give a/);
    await changed({ test: { ...told.test, logits: told.test.logits.slice(1) } }, /answers 29 test rows/);
    await changed({ test: { scores: { ...told.test.scores, loss: 5 }, logits: told.test.logits } }, /a loss of/);
    await changed({ plan: { ...told.plan, method: { type: 'lora', rank: 8 } } }, /another method/);
    await changed({ setup: 'other' }, /not the one that the result was made with/);
    await changed({ steps: [{ step: 'one' }] }, /does not read as it should/);
    await changed({ validations: [{ best: true, macroF1: 'good' }] }, /validations\.0\.macroF1/);
    await changed({ validations: [{ step: 2, best: true }] }, /validations\.0\.loss/);
    await writeFile(join(out, 'result.json'), whole);
    const other = await studio.handlers['projects.create']({ name: 'Other', description: '' });
    await expect(
      studio.finished(await studio.handlers['further.back']({ projectId: other.id, folder })),
    ).rejects.toThrow(/no data set with the rows/);
    await expect(takenBack(join(folder, 'data'))).rejects.toThrow(/result\.json is not there/);
    // Nothing of what was refused stays.
    expect((await studio.handlers['runs.list']({ projectId })).filter(({ result }) => result?.elsewhere)).toHaveLength(
      1,
    );
  }, 60_000);
});

describe.runIf(python)('trained by Python itself', () => {
  const cases: [string, Partial<AskedPlan> & { readonly method: AskedPlan['method'] }][] = [
    ['full', { method: { type: 'full' } }],
    ['head', { method: { type: 'head' } }],
    ['lora-plus-dora', { method: { ...lora, loraPlusRatio: 4, useDora: true } }],
    ['adalora', { method: { type: 'adalora', initRank: 4, targetRank: 2 } }],
    ['loha', { method: { type: 'loha' } }],
    ['lokr', { method: { type: 'lokr' } }],
    ['vera', { method: { type: 'vera', rank: 16 } }],
    ['ia3', { method: { type: 'ia3' } }],
    ['prompt', { method: { type: 'prompt', numVirtualTokens: 4 } }],
    ['p-tuning', { method: { type: 'p-tuning', numVirtualTokens: 4 } }],
    ['regression', { method: lora, data: 'lengths' }],
    ['several', { method: lora, data: 'several' }],
  ];
  it.each(cases)(
    '%s',
    async (name, { method, ...more }) => {
      const folder = await written(`python-${name}`, planOf(method, more));
      const ended = spawnSync(python!, ['train.py'], { cwd: folder, encoding: 'utf8' });
      expect(ended.status, ended.stderr.slice(-3000)).toBe(0);
      const back = await takenBack(folder);
      expect(back.result!.elsewhere!.proof.rows).toBeGreaterThan(0);
      expect(back.result!.elsewhere!.proof.largestDifference).toBeLessThan(1e-3);
      const told = await json(folder, 'result', 'result.json');
      expect(told['trainable'] ?? back.result!.trainableParameters).toBe(back.result!.trainableParameters);
    },
    600_000,
  );
});
