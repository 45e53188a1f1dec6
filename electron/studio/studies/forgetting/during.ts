/** What the base knew of language while each method trained: at the validations of its final runs. */
import type { Report, ReportFigure, ReportTable } from '../../../contract/entities.js';
import { meanWithInterval } from '../../../evaluation/index.js';
import { metrics } from '../../../storage/index.js';
import type { Context } from '../../context.js';
import { mostWatched } from '../../general-text.js';
import { cellsIn, labelOf } from '../cells.js';
import type { Asked, Ended, Measured } from '../kinds/kind.js';
import { finalsOf, type Cell } from '../matrix.js';
import { chainOf } from './chain.js';
import { firstTexts } from './general.js';

/** Perplexity on general text of one method after so many steps of one task; step 0 is what it started from. */
interface Moment {
  readonly cell: Cell;
  readonly step: number;
  readonly runs: readonly number[];
  readonly perplexity: { readonly mean: number; readonly interval: { low: number; high: number } | null };
}

/** Losses of several seeds as perplexity; the interval is over seeds alone, as the texts are the same. */
function toldLosses(losses: readonly number[]): Moment['perplexity'] {
  const { mean, interval } = meanWithInterval(losses, { low: 0, high: Infinity });
  return {
    mean: Math.exp(mean),
    interval: interval && { low: Math.exp(interval.low), high: Math.exp(interval.high) },
  };
}

export async function momentsOf(
  { database }: Pick<Context, 'database'>,
  asked: Asked,
  ended: Ended,
  measured: Measured,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  for (const cell of chainOf(asked).flat()) {
    const runs = finalsOf(asked, cell, ended);
    const byStep = new Map<number, { id: number; loss: number }[]>();
    const add = (step: number, id: number, loss: number | null | undefined) => {
      if (loss !== null && loss !== undefined) byStep.set(step, [...(byStep.get(step) ?? []), { id, loss }]);
    };
    for (const { id, seed } of runs) {
      const { validations } = await metrics.readHistory(database, id, 0);
      const watched = validations.flatMap(({ step, general }) => (general && step > 0 ? [{ step, ...general }] : []));
      if (watched.length > 0) add(0, id, firstTexts(asked, measured, cell.carried?.from ?? null, seed));
      for (const { step, loss } of watched) add(step, id, loss);
    }
    for (const [step, found] of [...byStep].sort(([a], [b]) => a - b))
      moments.push({
        cell,
        step,
        runs: found.map(({ id }) => id),
        perplexity: toldLosses(found.map(({ loss }) => loss)),
      });
  }
  return moments;
}

export function duringTable(asked: Asked, moments: readonly Moment[]): ReportTable[] {
  if (moments.length === 0) return [];
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    ...(asked.datasets.length > 1 ? [{ key: 'task', title: 'Task', unit: null }] : []),
    { key: 'step', title: 'Step', unit: 'count' },
    { key: 'seeds', title: 'Seeds', unit: 'count' },
    { key: 'perplexity', title: 'Perplexity on general text', unit: 'number' },
  ];
  return [
    {
      id: 'during',
      title: 'What the base knew of language, while each method trained',
      columns,
      rows: moments.map(({ cell, step, runs, perplexity }) => ({
        method: cell.method.options.type,
        runs: [...runs],
        cells: cellsIn(columns, {
          method: labelOf(cell.method),
          task: cell.dataset.name,
          step,
          seeds: runs.length,
          perplexity: { ...perplexity },
        }),
      })),
      note: `At each validation of the final runs, on the first ${mostWatched} texts, with the parameters of that moment; after training those of the best validation are measured. Intervals at 95 % over seeds.`,
    },
  ];
}

/** One a task. */
export function duringFigures(asked: Asked, moments: readonly Moment[]): ReportFigure[] {
  return asked.datasets.flatMap((dataset, place) => {
    const here = moments.filter(({ cell }) => cell.dataset === dataset);
    if (here.length === 0) return [];
    return [
      {
        kind: 'curves' as const,
        id: `during-${place + 1}`,
        title: `Perplexity on general text while training${asked.datasets.length > 1 ? `, ${dataset.name}` : ''}`,
        x: { title: 'Step', unit: 'count' as const, log: false },
        y: { title: 'Perplexity', unit: 'number' as const, log: false },
        places: null,
        series: asked.methods.map((method) => ({
          label: labelOf(method),
          type: method.options.type,
          points: here.flatMap(({ cell, step, perplexity }) =>
            cell.method === method ? [{ x: step, ...perplexity }] : [],
          ),
        })),
      },
    ];
  });
}

export const duringNotes = (asked: Asked, ended: Ended, moments: readonly Moment[]): Report['notes'] => {
  const unwatched = chainOf(asked)
    .flat()
    .flatMap((cell) => finalsOf(asked, cell, ended))
    .filter(({ id }) => !moments.some(({ runs }) => runs.includes(id)));
  return unwatched.length > 0
    ? [
        `General text was not measured while run${unwatched.length > 1 ? 's' : ''} ${unwatched.map(({ id }) => id).join(', ')} trained: without validation rows there is no moment to, and runs of earlier versions did not.`,
      ]
    : [];
};
