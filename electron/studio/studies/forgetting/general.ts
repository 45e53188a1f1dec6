/** What the base knew of language, before and after each task. */
import { z } from 'zod';
import type { Report, ReportFigure, ReportTable } from '../../../contract/entities.js';
import {
  hierarchicalMeans,
  judgeGaps,
  measureKinds,
  type JudgedGap,
  type SeedMean,
  type SeedScore,
} from '../../../evaluation/index.js';
import { mostWatched } from '../../general-text.js';
import { onGeneralText } from '../../retest.js';
import { languageOf } from '../../watch.js';
import { cellsIn, gapCell, labelOf, toldMean, verdictKinds } from '../cells.js';
import { drawSeed } from '../evidence.js';
import type { Asked, Ended, Measured, Measurement, StudyMethod } from '../kinds/kind.js';
import { finalsOf, type Cell } from '../matrix.js';
import { chainOf, outcomesOf } from './chain.js';

const baseKey = 'general/base';
const generalKey = (cell: Cell, seed: number) => `general/${cell.key}/${seed}`;

const perplexity = measureKinds.perplexity;
const languageTask = ({ model }: Asked) => ({ objective: languageOf(model), measure: 'perplexity' }) as const;

export function generalOf(asked: Asked, ended: Ended): Measurement[] {
  const objective = languageOf(asked.model);
  const file = asked.plan.generalText;
  const runs = chainOf(asked)
    .flat()
    .flatMap((cell) => finalsOf(asked, cell, ended).map((run) => ({ cell, run })));
  const [first] = runs;
  if (!first) return [];
  return [
    {
      key: baseKey,
      doing: 'The base model on general text',
      take: (context, signal) => onGeneralText(context, { run: first.run, trained: false, objective, file }, signal),
    },
    ...runs.map(({ cell, run }) => ({
      key: generalKey(cell, run.seed),
      doing: `${labelOf(cell.method)} after ${cell.dataset.name}, seed ${run.seed}: general text`,
      take: (context: Parameters<Measurement['take']>[0], signal: AbortSignal) =>
        onGeneralText(context, { run, trained: true, objective, file }, signal),
    })),
  ];
}

/** Loss a token on the texts that a run watches: of what it started from, a cell's run of the same seed or (null) the base. */
export function firstTexts(asked: Asked, measured: Measured, from: Cell | null, seed: number): number | null {
  const score = outcomesOf(measured, from ? generalKey(from, seed) : baseKey, languageTask(asked), mostWatched);
  return score && -score();
}

/** Loss on general text of one method after one task. */
interface GeneralLoss {
  readonly method: StudyMethod;
  /** Null for the base before any training. */
  readonly cell: Cell | null;
  readonly runs: readonly number[];
  /** Of minus the loss, in hundredths. */
  readonly score: SeedMean;
  readonly fromBase: JudgedGap | null;
  readonly fromFull: JudgedGap | null;
}

const textSchema = z.object({ texts: z.number(), contentHash: z.string() });

export function textNotes(measured: Measured): string[] {
  const { data } = textSchema.safeParse(measured.get(baseKey));
  return data ? [`General text: ${data.texts.toLocaleString('en')} texts, SHA-256 ${data.contentHash}.`] : [];
}

export async function generalLosses(asked: Asked, ended: Ended, measured: Measured): Promise<GeneralLoss[]> {
  const language = languageTask(asked);
  const base = outcomesOf(measured, baseKey, language);
  const { data: text } = textSchema.safeParse(measured.get(baseKey));
  if (base === null || text === undefined) return [];
  const found = chainOf(asked)
    .flat()
    .map((cell) => ({
      cell,
      runs: finalsOf(asked, cell, ended).flatMap((run) => {
        const score = outcomesOf(measured, generalKey(cell, run.seed), language);
        return score ? [{ run, score }] : [];
      }),
    }))
    .filter(({ runs }) => runs.length > 0);
  const lists = found.flatMap(({ cell, runs }) => {
    const full = found.find((one) => one.cell.method.baseline && one.cell.dataset === cell.dataset);
    const beside = (seed: number) => full?.runs.find(({ run }) => run.seed === seed)?.score ?? null;
    return [
      runs.map(({ score }): SeedScore => ({ score, baseline: null })),
      runs.map(({ score }): SeedScore => ({ score, baseline: base })),
      cell.method.baseline
        ? []
        : runs.flatMap(({ run, score }): SeedScore[] => {
            const other = beside(run.seed);
            return other ? [{ score, baseline: other }] : [];
          }),
    ];
  });
  const means = await hierarchicalMeans(text.texts, [[{ score: base, baseline: null }], ...lists], drawSeed);
  const at = (index: number, kind: 0 | 1 | 2) =>
    (lists[3 * index + kind]?.length ?? 0) > 0 ? (means[1 + 3 * index + kind] ?? null) : null;
  const judge = (kind: 1 | 2, baseline: string) => {
    const gaps = found.map((_, index) => at(index, kind));
    const judged = judgeGaps(
      gaps.filter((gap) => gap !== null),
      { ...perplexity, baseline },
      asked.plan.zone,
    );
    let next = 0;
    return gaps.map((gap) => (gap ? (judged[next++] ?? null) : null));
  };
  const fromBase = judge(1, "the base's perplexity");
  const fromFull = judge(2, "full fine-tuning's perplexity");
  const [before] = means;
  const [first] = asked.methods;
  return [
    ...(before && first
      ? [{ method: first, cell: null, runs: [], score: before, fromBase: null, fromFull: null }]
      : []),
    ...found.flatMap(({ cell, runs }, index): GeneralLoss[] => {
      const score = at(index, 0);
      if (!score) return [];
      const own = { method: cell.method, cell, runs: runs.map(({ run }) => run.id), score };
      return [{ ...own, fromBase: fromBase[index] ?? null, fromFull: fromFull[index] ?? null }];
    }),
  ];
}

export function generalVerdicts(losses: readonly GeneralLoss[]): Report['verdicts'] {
  return losses.flatMap(({ method, cell, runs, fromBase, fromFull }) => {
    if (!cell) return [];
    const what = `${labelOf(method)} after ${cell.dataset.name}, perplexity on general text`;
    return [
      ...(fromBase
        ? [
            {
              kind: method.baseline ? ('note' as const) : verdictKinds[fromBase.decision],
              text: `${what}: ${fromBase.text}.`,
              runs: [...runs],
            },
          ]
        : []),
      ...(fromFull
        ? [{ kind: verdictKinds[fromFull.decision], text: `${what}: ${fromFull.text}.`, runs: [...runs] }]
        : []),
    ];
  });
}

export function generalTable(losses: readonly GeneralLoss[]): ReportTable {
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    { key: 'after', title: 'After', unit: null },
    { key: 'seeds', title: 'Seeds', unit: 'count' },
    { key: 'perplexity', title: 'Perplexity on general text', unit: 'number' },
    { key: 'base', title: 'Difference from the base', unit: 'percent' },
    { key: 'full', title: 'Difference from full fine-tuning', unit: 'percent' },
    { key: 'verdict', title: 'Against the base', unit: null },
  ];
  return {
    id: 'general',
    title: 'What the base knew of language',
    columns,
    rows: losses.map(({ method, cell, runs, score, fromBase, fromFull }) => ({
      method: cell ? method.options.type : null,
      runs: [...runs],
      cells: cellsIn(columns, {
        method: cell ? labelOf(method) : 'The base model',
        after: cell ? cell.dataset.name : 'before',
        seeds: cell ? runs.length : null,
        perplexity: toldMean(score, perplexity),
        base: gapCell(fromBase),
        full: gapCell(fromFull),
        verdict: fromBase?.text ?? null,
      }),
    })),
    note: 'Differences are above zero where the perplexity is lower than what it is held against, and below zero where something was lost.',
  };
}

export function generalFigure(asked: Asked, losses: readonly GeneralLoss[]): ReportFigure[] {
  const base = losses.find(({ cell }) => cell === null);
  if (!base || losses.length < 2) return [];
  const start = { x: 0, mean: toldMean(base.score, perplexity).mean, interval: null };
  return [
    {
      kind: 'curves',
      id: 'general',
      title: 'Perplexity on general text, before and after each task',
      x: { title: 'After', unit: 'count', log: false },
      y: { title: 'Perplexity', unit: 'number', log: false },
      places: ['before', ...asked.datasets.map(({ name }) => name)],
      series: asked.methods.map((method) => ({
        label: labelOf(method),
        type: method.options.type,
        points: [
          start,
          ...losses.flatMap(({ method: own, cell, score }) =>
            cell && own === method
              ? [{ x: 1 + asked.datasets.indexOf(cell.dataset), ...toldMean(score, perplexity) }]
              : [],
          ),
        ],
      })),
    },
  ];
}
