/** What the final runs of a matrix show: scores, differences from full fine-tuning, and what may be said of them. */
import type { Dataset, Run } from '../../contract/entities.js';
import type { Measure } from '../../contract/measures.js';
import {
  hierarchicalMeans,
  judgeGaps,
  measureKinds,
  sampleOf,
  type ComparedRun,
  type JudgedGap,
  type RowScore,
  type SeedMean,
  type SeedScore,
} from '../../evaluation/index.js';
import { metrics } from '../../storage/index.js';
import type { Context } from '../context.js';
import type { Asked, Ended } from './kinds/kind.js';
import { cellsOf, chosenIn, finalsOf, type Cell } from './matrix.js';

export interface CellEvidence extends Cell {
  readonly chosenRate: number | null;
  /** By seed. */
  readonly runs: readonly ComparedRun[];
  /** Each run's score as the measure is told; null for one that was scored on other rows. */
  readonly scores: readonly (number | null)[];
  /** Of `runs`, on the shared test rows; null without a run. */
  readonly score: SeedMean | null;
  /** From the baseline at the same place, over seeds that both have; null for the baseline, and without a pair. */
  readonly gap: JudgedGap | null;
}

export interface Evidence {
  readonly measure: Measure;
  readonly cells: readonly CellEvidence[];
  readonly testRows: ReadonlyMap<Dataset, number>;
}

/** Seed of the bootstrap: one for all reports, so that the same runs give the same report. */
export const drawSeed = 1;

/** A run with its test answers; null where it has none. */
export async function comparedOf({ database }: Context, run: Run): Promise<ComparedRun | null> {
  const rows = await metrics.readOutcomes(database, run.id, run.plan.objective);
  const { result } = run;
  return result?.test && rows.rowIds.length > 0 ? { run, result, test: result.test, rows } : null;
}

/** What is held against what. All differences of a family are judged together: its claims are right together at 95 %. */
export interface Family {
  readonly cells: readonly Cell[];
  /** The one of `cells` that another is held against; null for what is not compared. */
  against(cell: Cell): Cell | null;
  /** What that is, in words. */
  readonly baseline: string | null;
}

/** Every method against full fine-tuning at the same place. */
function matrixFamily(asked: Asked): Family {
  const cells = cellsOf(asked);
  const against = ({ method, dataset, size }: Cell) =>
    method.baseline
      ? null
      : (cells.find((other) => other.method.baseline && other.dataset === dataset && other.size === size) ?? null);
  return { cells, against, baseline: null };
}

export async function weigh(
  context: Context,
  asked: Asked,
  ended: Ended,
  family: Family = matrixFamily(asked),
): Promise<Evidence> {
  const kind = { ...measureKinds[asked.measure], ...(family.baseline === null ? {} : { baseline: family.baseline }) };
  const weighed: (Omit<CellEvidence, 'gap'> & { difference: SeedMean | null })[] = [];
  const testRows = new Map<Dataset, number>();
  for (const dataset of asked.datasets) {
    const here: { readonly cell: Cell; readonly runs: readonly ComparedRun[] }[] = [];
    for (const cell of family.cells.filter((one) => one.dataset === dataset)) {
      const found = [];
      for (const run of finalsOf(asked, cell, ended)) found.push(await comparedOf(context, run));
      here.push({ cell, runs: found.filter((run) => run !== null) });
    }
    const all = here.flatMap(({ runs }) => runs);
    const [first] = all;
    const sample = first ? sampleOf(first, all, asked.measure) : null;
    testRows.set(dataset, sample?.rows ?? 0);
    const scoreOf = (run: ComparedRun): RowScore | null => sample?.scores.get(run) ?? null;
    const lists = here.flatMap(({ cell, runs }) => {
      const other = family.against(cell);
      const baseline = here.find(({ cell: { key } }) => key === other?.key)?.runs ?? [];
      const plain = runs.flatMap((run): SeedScore[] => {
        const score = scoreOf(run);
        return score ? [{ score, baseline: null }] : [];
      });
      const paired = runs.flatMap((run): SeedScore[] => {
        const same = baseline.find(({ run: { seed } }) => seed === run.run.seed);
        const [score, against] = [scoreOf(run), same ? scoreOf(same) : null];
        return score && against ? [{ score, baseline: against }] : [];
      });
      return [plain, paired];
    });
    const means = await hierarchicalMeans(sample?.rows ?? 0, lists, drawSeed);
    here.forEach(({ cell, runs }, index) => {
      const chosen = chosenIn(asked, cell, ended);
      const meanAt = (place: number) => ((lists[place]?.length ?? 0) > 0 ? (means[place] ?? null) : null);
      weighed.push({
        ...cell,
        runs,
        scores: runs.map((run) => {
          const score = scoreOf(run);
          return score && kind.shown(score());
        }),
        chosenRate: chosen === null || chosen === 'failed' ? null : chosen.rate,
        score: meanAt(2 * index),
        difference: meanAt(2 * index + 1),
      });
    });
  }
  const differences = weighed.flatMap(({ difference }) => difference ?? []);
  const judged = judgeGaps(differences, kind, asked.plan.zone);
  let next = 0;
  return {
    measure: asked.measure,
    testRows,
    cells: weighed.map(({ difference, ...cell }) => ({ ...cell, gap: difference ? (judged[next++] ?? null) : null })),
  };
}
