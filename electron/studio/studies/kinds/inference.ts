/** What does an adapter cost when it answers: beside its base, merged into it, and with others in one batch? */
import type { ZodType } from 'zod';
import { alike } from '../../../contract/answer-words.js';
import {
  mergeCheckSchema,
  servedTogetherSchema,
  type Dataset,
  type MergeCheck,
  type Report,
  type ReportFigure,
  type ReportTable,
  type Run,
  type ServedTogether,
  type TimedInTurns,
} from '../../../contract/entities.js';
import { problemSchema, type Problem } from '../../../contract/errors.js';
import { measureKinds, timesInWords } from '../../../evaluation/index.js';
import { requireMerging, takeMergeCheck } from '../../merge-check.js';
import { takeServedTogether } from '../../serve-together.js';
import {
  cellLabel,
  cellsIn,
  choiceTable,
  matrixNotes,
  placeCells,
  placeColumns,
  placeInWords,
  runTable,
  toldScore,
} from '../cells.js';
import { weigh, type CellEvidence, type Evidence } from '../evidence.js';
import { cellsOf, checkMatrix, finalsOf, matrixProtocol, matrixSteps, sizesOf, type Cell } from '../matrix.js';
import type { Asked, Ended, Measured, Measurement, StudyKindSpec } from './kind.js';

export const inference: StudyKindSpec = {
  kind: 'inference',
  title: 'Combined at inference',
  question: 'What does an adapter cost when it answers: beside its base, merged into it, and with others in one batch?',
  leastData: 1,
  shares: true,
  check: checkMatrix,
  steps: matrixSteps,
  measurements: (asked, ended) => [
    ...cellsOf(asked).flatMap((cell) => mergeOf(asked, cell, ended)),
    ...placesOf(asked).flatMap(({ dataset, size }) => togetherOf(asked, dataset, size, ended)),
  ],
  protocol: (asked) => [
    ...matrixProtocol(asked, measureKinds[asked.measure].name),
    `Of each method the run of seed ${asked.plan.seeds[0]} answered up to 200 validation rows in batches of 32, on the processor: beside its base, merged into it, and with the adapter taken out of the merged weights again. Milliseconds are of one row, tokenizing included: both answered the same rows in turns.`,
    'Then all adapters of one place stood on one copy of the base, and each batch held rows for all of them in turn; the rows of one adapter go through together. Full fine-tuning has no base to share and is left out there.',
  ],
  async report(context, asked, ended, measured) {
    const evidence = await weigh(context, asked, ended);
    const merges = mergesOf(evidence, measured);
    const groups = placesOf(asked).flatMap((place) => {
      const found = read(servedTogetherSchema, measured.get(togetherKey(place.dataset, place.size)));
      return found && found.value ? [{ ...place, found: found.value, cells: adaptersAt(evidence.cells, place) }] : [];
    });
    const choices = choiceTable(asked, evidence, ended);
    return {
      verdicts: [
        ...merges.flatMap((merge) => mergeVerdict(asked, merge)),
        ...groups.map((group) => groupVerdict(asked, group)),
      ],
      tables: [
        mergeTable(asked, merges),
        togetherTable(groups),
        ...(choices ? [choices] : []),
        runTable(asked, evidence),
      ],
      figures: latencyFigures(asked, evidence, merges),
      notes: [
        ...matrixNotes(asked, evidence, ended),
        ...merges.flatMap(({ cell, problem }) =>
          problem ? [`${cellLabel(cell)}${placeInWords(asked, cell)} was not merged: ${problem.message}`] : [],
        ),
      ],
    };
  },
};

const placesOf = (asked: Asked) =>
  asked.datasets.flatMap((dataset) => sizesOf(asked).map((size) => ({ dataset, size })));

const mergeKey = ({ key }: Cell) => `merge/${key}`;
const togetherKey = (dataset: Dataset, size: number | null) => `together/${dataset.name}/${size ?? 'all'}`;

/** The run of the first seed. */
function finalRun(asked: Asked, cell: Cell, ended: Ended): Run | undefined {
  return finalsOf(asked, cell, ended).find(({ seed }) => seed === asked.plan.seeds[0]);
}

function mergeOf(asked: Asked, cell: Cell, ended: Ended): Measurement[] {
  const run = finalRun(asked, cell, ended);
  if (!run) return [];
  return [
    {
      key: mergeKey(cell),
      holds: (value) => read(mergeCheckSchema, value) !== null,
      doing: `${cellLabel(cell)}: merging into the base`,
      async take(context, signal) {
        await requireMerging(context, run);
        return takeMergeCheck(context, run, { signal, progress: () => undefined });
      },
    },
  ];
}

const isAdapter = ({ method }: Cell) => method.options.type !== 'full';

function togetherOf(asked: Asked, dataset: Dataset, size: number | null, ended: Ended): Measurement[] {
  const here = cellsOf(asked).filter((cell) => cell.dataset === dataset && cell.size === size && isAdapter(cell));
  const [first, ...others] = here.flatMap((cell) => finalRun(asked, cell, ended) ?? []);
  if (!first) return [];
  return [
    {
      key: togetherKey(dataset, size),
      holds: (value) => read(servedTogetherSchema, value) !== null,
      doing: `${others.length + 1} adapters in one batch`,
      take: (context, signal) => takeServedTogether(context, [first, ...others], signal),
    },
  ];
}

const adaptersAt = (cells: readonly CellEvidence[], place: { dataset: Dataset; size: number | null }) =>
  cells.filter(
    (cell) => cell.dataset === place.dataset && cell.size === place.size && isAdapter(cell) && cell.runs.length > 0,
  );

interface Merge {
  readonly cell: CellEvidence;
  readonly check: MergeCheck | null;
  /** Why there is none. */
  readonly problem: Problem | null;
}

/** What was kept of a measurement: its value, or the problem in its place; null where it was not taken yet, or by an earlier version in another form. */
function read<T>(schema: ZodType<T>, value: unknown): { value: T | null; problem: Problem | null } | null {
  const problem = failure(value);
  if (problem) return { value: null, problem };
  const { data } = schema.safeParse(value);
  return data === undefined ? null : { value: data, problem: null };
}

function failure(value: unknown): Problem | null {
  if (typeof value !== 'object' || value === null || !('problem' in value)) return null;
  return problemSchema.parse(value.problem);
}

const mergesOf = ({ cells }: Evidence, measured: Measured): Merge[] =>
  cells.flatMap((cell) => {
    const found = read(mergeCheckSchema, measured.get(mergeKey(cell)));
    return found ? [{ cell, check: found.value, problem: found.problem }] : [];
  });

const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;

/** "a row takes 0.61 to 0.72 times the time beside its base (3.1 ms, 4.6 ms), in 12 turns" */
function timeInWords({ first, second, turns, interval, decision }: TimedInTurns, than: string): string {
  const medians = `${ms(second)}, ${ms(first)}`;
  if (decision === 'undecided' || interval === null)
    return `no difference in time from ${than} is told (${medians}), in ${turns} turns`;
  return `a row takes ${timesInWords(interval)} the time ${than} (${medians}), in ${turns} turns`;
}

function mergeVerdict(asked: Asked, { cell, check }: Merge): Report['verdicts'] {
  if (check === null || !isAdapter(cell)) return [];
  const { largestDifference, sameLabels } = check.merged;
  const same = sameLabels && largestDifference <= alike;
  const apart = `logits at most ${largestDifference.toPrecision(2)} apart on ${check.rows} rows`;
  return [
    {
      kind: same ? 'equal' : 'against-peft',
      text: `${cellLabel(cell)}${placeInWords(asked, cell)}, merged, answers ${same ? 'as it did beside its base' : sameLabels ? 'with other logits' : 'otherwise'} (${apart}); ${timeInWords(check.time, 'beside its base')}.`,
      runs: cell.runs.map(({ run }) => run.id),
    },
  ];
}

interface Group {
  readonly dataset: Dataset;
  readonly size: number | null;
  readonly found: ServedTogether;
  readonly cells: readonly CellEvidence[];
}

function groupVerdict(asked: Asked, { found, cells, ...place }: Group): Report['verdicts'][number] {
  const { alone, time, largestDifference, sameLabels, memoryBytes } = found;
  const same = sameLabels && largestDifference <= alike;
  const more = Math.max(0, memoryBytes.all - memoryBytes.one) / 1e6;
  const count = alone.length;
  const one = count === 1;
  return {
    kind: same ? 'equal' : 'against-peft',
    text: `${one ? 'One adapter' : `${count} adapters`}${placeInWords(asked, place)} in one batch on one copy of the base ${same ? `${one ? 'answers' : 'answer'} as by ${one ? 'itself' : 'themselves'}` : 'answer otherwise'} (logits at most ${largestDifference.toPrecision(2)} apart); ${timeInWords(time, 'with one adapter a batch')}${one ? '' : `; ${count - 1} more ${count === 2 ? 'adapter takes' : 'adapters take'} ${more.toFixed(0)} MB more`}.`,
    runs: cells.flatMap(({ runs }) => runs.map(({ run }) => run.id)),
  };
}

function mergeTable(asked: Asked, merges: readonly Merge[]): ReportTable {
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'rows', title: 'Rows', unit: 'count' },
    { key: 'apart', title: 'Largest difference of a logit', unit: 'number' },
    { key: 'same', title: 'Same answers', unit: null },
    { key: 'before', title: 'Beside its base, ms a row', unit: 'number' },
    { key: 'merged', title: 'Merged, ms a row', unit: 'number' },
    { key: 'times', title: 'Merged by beside', unit: null },
    { key: 'out', title: 'Taken out again', unit: null },
  ];
  return {
    id: 'merged',
    title: 'Merged into the base',
    columns,
    rows: merges.map(({ cell, check, problem }) => ({
      method: cell.method.options.type,
      runs: cell.runs.map(({ run }) => run.id),
      cells: cellsIn(columns, {
        ...placeCells(cell),
        rows: check?.rows ?? null,
        apart: check?.merged.largestDifference ?? null,
        same: check === null ? (problem?.message ?? null) : check.merged.sameLabels ? 'yes' : 'no',
        before: check?.time.first ?? null,
        merged: check?.time.second ?? null,
        times: check?.time.interval ? timesInWords(check.time.interval) : null,
        out:
          check === null
            ? null
            : check.unmerged
              ? `weights at most ${check.unmerged.weightDifference.toPrecision(2)} from the base's own`
              : (check.reason ?? null),
      }),
    })),
    note: 'Times are medians of turns in which both answered the same rows one after the other, on the machine named below; what one is of the other is told with its 95 % interval.',
  };
}

function togetherTable(groups: readonly Group[]): ReportTable {
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    { key: 'data', title: 'Data', unit: null },
    { key: 'alone', title: 'By itself, ms a row', unit: 'number' },
    { key: 'together', title: 'Rows of all in one batch, ms a row', unit: 'number' },
    { key: 'open', title: 'To open on the open base', unit: 'seconds' },
    { key: 'memory', title: 'Memory of the process', unit: 'bytes' },
  ];
  return {
    id: 'together',
    title: 'Several adapters on one copy of the base',
    columns,
    rows: groups.flatMap(({ found, cells, dataset }) => [
      ...cells.map((cell, index) => ({
        method: cell.method.options.type,
        runs: cell.runs.slice(0, 1).map(({ run }) => run.id),
        cells: cellsIn(columns, {
          method: cellLabel(cell),
          data: dataset.name,
          alone: found.alone[index] ?? null,
          open: index === 0 ? null : (found.openMilliseconds[index - 1] ?? 0) / 1000,
          memory: index === 0 ? found.memoryBytes.one : null,
        }),
      })),
      {
        method: null,
        runs: [],
        cells: cellsIn(columns, {
          method: `All ${cells.length}`,
          data: dataset.name,
          together: found.time.second,
          memory: found.memoryBytes.all,
        }),
      },
    ]),
    note: '',
  };
}

/** Quality against the time of a row, beside the base and merged. */
function latencyFigures(asked: Asked, evidence: Evidence, merges: readonly Merge[]): ReportFigure[] {
  const { name } = measureKinds[evidence.measure];
  return placesOf(asked).flatMap(({ dataset, size }) => {
    const points = merges.flatMap(({ cell, check }) => {
      const score = toldScore(evidence, cell);
      if (cell.dataset !== dataset || cell.size !== size || check === null || score === null) return [];
      const at = (label: string, x: number) => ({
        label,
        type: cell.method.options.type,
        x,
        y: score.mean,
        interval: score.interval,
      });
      return isAdapter(cell)
        ? [
            at(`${cellLabel(cell)}, beside its base`, check.time.first),
            at(`${cellLabel(cell)}, merged`, check.time.second),
          ]
        : [at(cellLabel(cell), check.time.first)];
    });
    if (points.length === 0) return [];
    return [
      {
        kind: 'pareto' as const,
        id: `latency-${dataset.name}-${size ?? 'all'}`,
        title: `Test ${name} and time of a row${placeInWords(asked, { dataset, size })}`,
        x: { title: 'Milliseconds a row', unit: 'number' as const, log: false },
        y: {
          title: `Test ${name}`,
          unit: measureKinds[evidence.measure].bounds.high === 1 ? ('share' as const) : ('number' as const),
          log: false,
        },
        points,
      },
    ];
  });
}
