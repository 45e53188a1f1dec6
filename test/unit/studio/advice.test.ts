/** Advice by hand-made candidates, each verdict its own, and by a real small study. */
import { describe, expect, it } from 'vitest';
import { adviceLimitsSchema, adviceRequestSchema, type AdviceLimits } from '../../../electron/contract/entities.js';
import { judgeGaps, measureKinds } from '../../../electron/evaluation/index.js';
import { advise, type Compare } from '../../../electron/studio/advice/advise.js';
import type { Candidate } from '../../../electron/studio/advice/evidence.js';
import { smallStudy, studioWithRows, studyEnded } from '../../helpers/study.js';
import { removeBundles } from '../../helpers/trainer-process.js';

const fact = (value: number) => ({ value, study: 2, runs: [1] });

interface Given {
  readonly mean: number;
  readonly gap: readonly [number, number] | null;
  readonly seeds?: number;
  readonly memory?: number | null;
  readonly disk?: number;
  readonly latency?: readonly [number, number | null];
}
const candidate = (label: string, { mean, gap, seeds = 3, memory = null, disk = 1e6, latency }: Given): Candidate => ({
  label,
  name: label,
  type: label === 'Full' ? 'full' : 'lora',
  score: { mean, interval: { low: mean - 0.02, high: mean + 0.02 }, seeds, study: 1, runs: [1] },
  difference: gap && { mean: (gap[0] + gap[1]) / 2, interval: { low: gap[0], high: gap[1] }, text: 'not told apart' },
  costs: {
    memory: memory === null ? null : fact(memory),
    disk: fact(disk),
    latency: latency ? fact(latency[0]) : null,
    step: null,
    training: null,
  },
  mergedLatency: latency?.[1] ?? null,
  elsewhere: [],
});

const full = candidate('Full', { mean: 0.9, gap: null, memory: 900e6, disk: 90e6 });
const lora = candidate('LoRA', { mean: 0.89, gap: [-1.8, 0.4], memory: 400e6, disk: 2e6 });
const head = candidate('Head', { mean: 0.8, gap: [-12, -8], memory: 200e6, disk: 0.1e6 });
const all = [full, lora, head];

/** Differences in points by label, with the same error for all. */
const by =
  (points: Readonly<Record<string, number>>, error = 1): Compare =>
  (best, others) => {
    const known = others.filter(({ label }) => points[label] !== undefined);
    const judged = judgeGaps(
      known.map(({ label }) => ({ mean: points[label] ?? 0, error, degrees: 40, seeds: 3, rows: 200 })),
      { ...measureKinds.macroF1, baseline: best.label },
      1,
    );
    return Promise.resolve(others.map((other) => judged[known.indexOf(other)] ?? null));
  };

const ask = (candidates: readonly Candidate[], limits: Partial<AdviceLimits>, compare = by({ LoRA: -1, Head: -10 })) =>
  advise({ measure: 'macroF1' }, candidates, { limits: adviceLimitsSchema.parse(limits), cheapestBy: 'disk' }, compare);

describe('advise', () => {
  it('takes the cheapest that is not told apart from the best, and says that this is no equality', async () => {
    const { recommended, verdict, reasons, candidates } = await ask(all, {});
    expect([recommended, verdict]).toEqual(['LoRA', 'Ship LoRA.']);
    expect(reasons.join(' ')).toMatch(/do not tell Full and LoRA apart .* not to say that they are equal/);
    expect(reasons.join(' ')).toMatch(/cheapest of these that was measured: bytes to store 2 MB/);
    expect(reasons.join(' ')).toMatch(/Head keeps the limits too, and is worse than Full/);
    expect(candidates.map(({ beside }) => beside?.kind)).toEqual(['best', 'together', 'apart']);
  });

  it('says full fine-tuning where everything else is shown to be worse', async () => {
    const { recommended, reasons } = await ask(all, {}, by({ LoRA: -5, Head: -10 }));
    expect(recommended).toBe('Full');
    expect(reasons[0]).toBe('It has the best test score of those that were measured.');
  });

  it('leaves out by the limit that is broken', async () => {
    const { recommended, candidates } = await ask(all, { memory: 500e6 }, by({ Head: -9 }));
    expect(recommended).toBe('LoRA');
    expect(candidates.map(({ outcome }) => outcome)).toEqual(['broken', 'kept', 'kept']);
    expect(candidates[0]?.limits).toEqual([
      { limit: 'memory', outcome: 'broken', text: 'peak memory of training 900 MB, above 500 MB' },
    ]);
  });

  it('holds a loss against the interval: inside is kept, outside broken, across is open', async () => {
    const at = async (loss: number) => (await ask(all, { loss })).candidates.map(({ outcome }) => outcome);
    expect(await at(2)).toEqual(['kept', 'kept', 'broken']);
    expect(await at(1)).toEqual(['kept', 'open', 'broken']);
    expect(await at(10)).toEqual(['kept', 'kept', 'open']);
    expect(await at(12)).toEqual(['kept', 'kept', 'kept']);
  });

  it('shows nothing by one seed, and nothing fits where no interval says so', async () => {
    const { recommended, verdict, reasons } = await ask(
      [candidate('LoRA', { mean: 0.89, gap: [-0.5, 0.4], seeds: 1 })],
      { loss: 2 },
    );
    expect(recommended).toBeNull();
    expect(verdict).toBe('Nothing is shown to keep the limits; the intervals leave some open.');
    expect(reasons[0]).toMatch(/on one seed, which shows no spread/);
  });

  it('holds a least score, in percent, against the interval of the score', async () => {
    const { candidates } = await ask(all, { score: 86.9 });
    expect(candidates.map(({ outcome }) => outcome)).toEqual(['kept', 'kept', 'broken']);
    expect((await ask(all, { score: 88 })).candidates[1]?.outcome).toBe('open');
  });

  it('says that nothing fits, and why of each', async () => {
    const { recommended, verdict, reasons } = await ask(all, { disk: 50e3 });
    expect([recommended, verdict]).toEqual([null, 'Nothing that was measured keeps the limits.']);
    expect(reasons).toHaveLength(3);
  });

  it('asks for a study where a limit has no evidence', async () => {
    const { missing, verdict } = await ask(all, { latency: 5 });
    expect(missing).toMatchObject([{ limit: 'latency', kind: 'inference' }]);
    expect(verdict).toMatch(/not all of them were measured/);
    // Known of some: the others are left out by name only.
    const some = [candidate('LoRA', { mean: 0.89, gap: [-1, 1], latency: [9, 4] }), head];
    const told = await ask(some, { latency: 5 });
    expect(told.missing).toEqual([]);
    expect(told.candidates[0]?.limits[0]?.text).toMatch(/9 ms, above 5 ms; merged into the base it takes 4 ms/);
  });

  it('does not recommend what has no pair with the best', async () => {
    const { recommended, candidates, reasons } = await ask(all, {}, by({ Head: -10 }));
    expect(recommended).toBe('Full');
    expect(candidates[1]?.beside?.kind).toBe('unpaired');
    expect(reasons.join(' ')).toMatch(/LoRA keeps the limits too, but has no runs of the same seeds/);
  });
});

it('by real studies of cost and of what answers cost', { timeout: 240_000 }, async () => {
  const { studio, projectId } = await studioWithRows();
  const { handlers } = studio;
  const askStudio = (request: object = {}) =>
    handlers['advice.ask']({ projectId, ...adviceRequestSchema.parse(request) });
  try {
    expect(await askStudio()).toMatchObject({ place: null, recommended: null });
    const carriedOut = async (change: object) => {
      const { id } = await handlers['studies.start']({ projectId, study: smallStudy(change), goOn: false });
      expect(await studyEnded(studio, id)).toMatchObject({ state: 'finished' });
      return id;
    };
    const cost = await carriedOut({ kind: 'cost', methods: [{ type: 'lora' }], learningRates: [0.02] });
    const first = await askStudio({ limits: { latency: 100 } });
    expect(first.place).toMatchObject({ label: 'tiny on rows', model: 'tiny', data: 'rows', examplesPerClass: null });
    expect(first.missing).toMatchObject([{ kind: 'inference' }]);
    expect(first.candidates.map(({ type, score }) => [type, score.study, score.runs.length])).toEqual([
      ['full', cost, 2],
      ['lora', cost, 2],
    ]);

    const inference = await carriedOut({
      kind: 'inference',
      methods: [{ type: 'lora' }],
      seeds: [1],
      learningRates: [0.02],
    });
    const { candidates, studies, recommended, notes } = await askStudio({
      limits: { latency: 10_000, memory: 1e12 },
      withBase: true,
      tasks: 3,
    });
    expect(studies.map(({ id }) => id).sort()).toEqual([cost, inference]);
    expect(candidates.map(({ outcome }) => outcome)).toEqual(['kept', 'kept']);
    expect(['Full fine-tuning', 'LoRA']).toContain(recommended?.split(',')[0]);
    expect(candidates.filter(({ beside }) => beside?.kind === 'unpaired')).toEqual([]);
    for (const { costs } of candidates) {
      expect(costs.memory).toMatchObject({ study: cost });
      expect(costs.latency).toMatchObject({ study: inference });
    }
    expect(notes.join(' ')).toMatch(/Times of a text were measured in one sitting/);
    const [tiny] = (await handlers['models.list']({})).filter(({ name }) => name === 'tiny');
    const [full, lora] = candidates;
    const run = await handlers['runs.get']({ id: lora?.score.runs[0] ?? 0 });
    expect(lora?.costs.disk?.value).toBe((tiny?.bytes ?? 0) + 3 * (run.result?.checkpointBytes ?? 0));
    expect(full?.costs.disk?.value).toBeGreaterThan(0);

    // Without its runs what was found stands, but nothing pairs it with the best any more.
    for (const id of lora?.score.runs ?? []) await handlers['runs.remove']({ id });
    const without = await askStudio();
    expect(without.candidates.map(({ beside }) => beside?.kind).sort()).toEqual(['best', 'unpaired']);
    expect(without.candidates[1]?.costs.disk?.value).toBeGreaterThan(0);
    await expect(askStudio({ place: 'gone' })).rejects.toMatchObject({ code: 'not-found' });
  } finally {
    await studio.close();
    await studio.remove();
    await removeBundles();
  }
});
