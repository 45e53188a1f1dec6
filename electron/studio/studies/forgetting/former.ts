/** Tasks that were learned before others: how well they are still done. */
import type { Report, ReportFigure, ReportTable } from '../../../contract/entities.js';
import { taskTable } from '../../../contract/objectives.js';
import {
  hierarchicalMeans,
  judgeGaps,
  measureKinds,
  type JudgedGap,
  type SeedMean,
  type SeedScore,
} from '../../../evaluation/index.js';
import { onFormerTask } from '../../retest.js';
import { cellsIn, gapCell, labelOf, scoreUnit, toldMean, verdictKinds } from '../cells.js';
import { drawSeed } from '../evidence.js';
import type { Asked, Ended, Measured, Measurement } from '../kinds/kind.js';
import { finalsOf, type Cell } from '../matrix.js';
import { outcomesOf, pairsOf } from './chain.js';

const formerKey = (cell: Cell, former: Cell, seed: number) => `former/${cell.key}/${former.key}/${seed}`;

/** Each run of a later task with each task before it, and that task's own run first. */
export function formerOf(asked: Asked, ended: Ended): Measurement[] {
  return pairsOf(asked).flatMap(({ cell, former }) =>
    finalsOf(asked, cell, ended).flatMap((run) => {
      const own = finalsOf(asked, former, ended).find(({ seed }) => seed === run.seed);
      if (!own) return [];
      return [
        {
          key: formerKey(cell, former, run.seed),
          doing: `${labelOf(cell.method)} after ${cell.dataset.name}, seed ${run.seed}: ${former.dataset.name} again`,
          take: (context: Parameters<Measurement['take']>[0], signal: AbortSignal) =>
            onFormerTask(context, { run, former: own }, signal),
        },
      ];
    }),
  );
}

/** A task that was learned before, after a later one (or at first, after itself). */
interface FormerScore {
  readonly cell: Cell;
  readonly former: Cell;
  readonly runs: readonly number[];
  readonly score: SeedMean;
  /** From what it was when it had just been learned. */
  readonly change: JudgedGap | null;
}

export async function formerScores(asked: Asked, ended: Ended, measured: Measured): Promise<FormerScore[]> {
  const { measure } = asked;
  const kind = measureKinds[measure];
  const all: (Omit<FormerScore, 'change'> & { readonly gap: SeedMean | null })[] = [];
  for (const dataset of asked.datasets) {
    const here = pairsOf(asked).filter(({ former }) => former.dataset === dataset);
    const read = (cell: Cell, former: Cell, seed: number) =>
      outcomesOf(measured, formerKey(cell, former, seed), { objective: taskTable[dataset.task].objective, measure });
    const found = here.map(({ cell, former }) => {
      const runs = finalsOf(asked, cell, ended);
      const scored = runs.flatMap(({ id, seed }) => {
        const score = read(cell, former, seed);
        return score ? [{ id, score, before: read(former, former, seed) }] : [];
      });
      return { cell, former, scored };
    });
    const lists = found.flatMap(({ cell, former, scored }) => [
      scored.map(({ score }): SeedScore => ({ score, baseline: null })),
      cell === former || cell.key === former.key
        ? []
        : scored.flatMap(({ score, before }): SeedScore[] => (before ? [{ score, baseline: before }] : [])),
    ]);
    const means = await hierarchicalMeans(dataset.rows.test, lists, drawSeed);
    found.forEach(({ cell, former, scored }, index) => {
      const score = means[2 * index];
      if (!score || scored.length === 0) return;
      const gap = (lists[2 * index + 1]?.length ?? 0) > 0 ? (means[2 * index + 1] ?? null) : null;
      all.push({ cell, former, runs: scored.map(({ id }) => id), score, gap });
    });
  }
  const judged = judgeGaps(
    all.flatMap(({ gap }) => gap ?? []),
    { ...kind, baseline: 'what it was' },
    asked.plan.zone,
  );
  let next = 0;
  return all.map(({ gap, ...one }) => ({ ...one, change: gap ? (judged[next++] ?? null) : null }));
}

export function formerVerdicts(scores: readonly FormerScore[]): Report['verdicts'] {
  return scores.flatMap(({ cell, former, runs, change }) =>
    change
      ? [
          {
            kind: cell.method.baseline ? ('note' as const) : verdictKinds[change.decision],
            text: `${labelOf(cell.method)}, ${former.dataset.name} after ${cell.dataset.name} was learned too: ${change.text}.`,
            runs: [...runs],
          },
        ]
      : [],
  );
}

export function formerTable(asked: Asked, scores: readonly FormerScore[]): ReportTable {
  const kind = measureKinds[asked.measure];
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    { key: 'task', title: 'Task', unit: null },
    { key: 'after', title: 'After', unit: null },
    { key: 'seeds', title: 'Seeds', unit: 'count' },
    { key: 'score', title: `Test ${kind.name}`, unit: scoreUnit(asked) },
    { key: 'change', title: 'Change', unit: 'points' },
    { key: 'verdict', title: 'Against what it was', unit: null },
  ];
  return {
    id: 'former',
    title: 'Tasks that were learned before',
    columns,
    rows: scores.map(({ cell, former, runs, score, change }) => ({
      method: cell.method.options.type,
      runs: [...runs],
      cells: cellsIn(columns, {
        method: labelOf(cell.method),
        task: former.dataset.name,
        after: cell.dataset.name,
        seeds: runs.length,
        score: toldMean(score, kind),
        change: gapCell(change),
        verdict: change?.text ?? 'as it was learned',
      }),
    })),
    note: 'Each task is tested with the head that was trained for it.',
  };
}

/** One a task that others came after. */
export function formerFigures(asked: Asked, scores: readonly FormerScore[]): ReportFigure[] {
  return asked.datasets.slice(0, -1).flatMap((dataset, place) => {
    const later = asked.datasets.slice(place);
    const own = scores.filter(({ former }) => former.dataset === dataset);
    if (own.length === 0) return [];
    return [
      {
        kind: 'curves' as const,
        id: `former-${place + 1}`,
        title: `${dataset.name}, as later tasks are learned`,
        x: { title: 'After', unit: 'count' as const, log: false },
        y: { title: `Test ${measureKinds[asked.measure].name}`, unit: scoreUnit(asked), log: false },
        places: later.map(({ name }) => name),
        series: asked.methods.map((method) => ({
          label: labelOf(method),
          type: method.options.type,
          points: own.flatMap(({ cell, score }) =>
            cell.method === method
              ? [{ x: later.indexOf(cell.dataset), ...toldMean(score, measureKinds[asked.measure]) }]
              : [],
          ),
        })),
      },
    ];
  });
}
