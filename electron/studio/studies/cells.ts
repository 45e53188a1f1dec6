/** Parts that the reports of several kinds share: names, tables of scores and choices, notes on what was missing. */
import type { Report, ReportTable, Run } from '../../contract/entities.js';
import { measureTable } from '../../contract/measures.js';
import { objectiveTable, taskTable } from '../../contract/objectives.js';
import { intervalAt, measureKinds, type JudgedGap, type MeasureKind, type SeedMean } from '../../evaluation/index.js';
import type { CellEvidence, Evidence } from './evidence.js';
import type { Asked, Ended, StudyMethod } from './kinds/kind.js';
import { chosenIn, sizesOf, trainedIn, type Cell } from './matrix.js';

/** "LoRA, r 8"; that full fine-tuning trains all weights is said by its name. */
export const labelOf = ({
  methodName,
  setting,
  baseline,
}: Pick<StudyMethod, 'methodName' | 'setting' | 'baseline'>): string =>
  baseline || setting === '' ? methodName : `${methodName}, ${setting}`;

/** "LoRA, r 8, of topics, frozen": what a cell's runs are. */
export const cellLabel = ({ method, carried }: Pick<Cell, 'method' | 'carried'>): string =>
  carried
    ? `${labelOf(method)}, of ${carried.from.dataset.name}, ${carried.how === 'frozen' ? 'frozen' : 'trained further'}`
    : labelOf(method);

export const sizeInWords = (size: number | null): string => (size === null ? 'all' : String(size));

/** " on banking77 with 16 examples a class": as much of it as tells places apart. */
export function placeInWords(asked: Asked, { dataset, size }: Pick<CellEvidence, 'dataset' | 'size'>): string {
  const data = asked.datasets.length > 1 ? ` on ${dataset.name}` : '';
  const examples =
    size === null ? ' with all examples' : ` with ${size} ${size === 1 ? 'example' : 'examples'} a class`;
  return `${data}${sizesOf(asked).length > 1 || size !== null ? examples : ''}`;
}

/** How the measure is written. */
export function scoreUnit({ measure }: Pick<Evidence, 'measure'>): 'share' | 'number' {
  return measureTable[measure].factor === 100 ? 'share' : 'number';
}

/** A mean over seeds with its 95 % interval over seeds and rows, as its measure is told. */
export function toldMean(score: SeedMean, { shown, bounds }: MeasureKind): ToldMean {
  const within = (value: number) => Math.min(bounds.high, Math.max(bounds.low, shown(value / 100)));
  const { low, high } = intervalAt(score, 0.95);
  const ends = [within(low), within(high)];
  return {
    mean: shown(score.mean / 100),
    interval: score.seeds < 2 ? null : { low: Math.min(...ends), high: Math.max(...ends) },
  };
}
interface ToldMean {
  readonly mean: number;
  readonly interval: { low: number; high: number } | null;
}

/** The score of a cell; null without a run. */
export const toldScore = (
  { measure }: Pick<Evidence, 'measure'>,
  { score }: Pick<CellEvidence, 'score'>,
): ToldMean | null => score && toldMean(score, measureKinds[measure]);

/** A difference as tables have it. */
export const gapCell = (gap: JudgedGap | null) => gap && { mean: gap.mean, interval: gap.interval };

/** How a verdict counts. */
export const verdictKinds = {
  better: 'for-peft',
  worse: 'against-peft',
  equal: 'equal',
  undecided: 'undecided',
} as const;

const places = (asked: Asked) => [
  ...(asked.datasets.length > 1 ? [{ key: 'data', title: 'Data', unit: null }] : []),
  ...(sizesOf(asked).length > 1 ? [{ key: 'size', title: 'Examples a class', unit: null }] : []),
];

/** Cells of the columns that tell method and place. */
export const placeCells = (cell: CellEvidence) => ({
  method: cellLabel(cell),
  data: cell.dataset.name,
  size: sizeInWords(cell.size),
});

export const placeColumns = (asked: Asked): ReportTable['columns'] => [
  { key: 'method', title: 'Method', unit: null },
  ...places(asked),
];

/** Only what the columns name. */
export const cellsIn = (
  columns: ReportTable['columns'],
  cells: ReportTable['rows'][number]['cells'],
): ReportTable['rows'][number]['cells'] => Object.fromEntries(columns.map(({ key }) => [key, cells[key] ?? null]));

const difference = (evidence: Evidence) => (measureKinds[evidence.measure].unit === '%' ? 'percent' : 'points');

/** Scores and differences of every method at every place. */
export function gapTable(asked: Asked, evidence: Evidence): ReportTable {
  const { name } = measureKinds[evidence.measure];
  const unit = difference(evidence);
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'seeds', title: 'Seeds', unit: 'count' },
    { key: 'rate', title: 'Learning rate', unit: 'number' },
    { key: 'score', title: `Test ${name}`, unit: scoreUnit(evidence) },
    { key: 'difference', title: 'Difference from full fine-tuning', unit },
    { key: 'p', title: 'p, no difference', unit: 'number' },
    { key: 'equivalence', title: `Inside ±${asked.plan.zone}?`, unit },
    { key: 'equivalenceP', title: 'p, not equivalent', unit: 'number' },
    { key: 'verdict', title: 'Verdict', unit: null },
  ];
  const comparisons = evidence.cells.filter(({ gap }) => gap).length;
  return {
    id: 'gaps',
    title: `Test ${name} and differences from full fine-tuning`,
    columns,
    rows: evidence.cells.map((cell) => ({
      method: cell.method.options.type,
      runs: cell.runs.map(({ run }) => run.id),
      cells: cellsIn(columns, {
        ...placeCells(cell),
        seeds: cell.runs.length,
        rate: cell.chosenRate,
        score: toldScore(evidence, cell),
        difference: gapCell(cell.gap),
        p: cell.gap?.p ?? null,
        equivalence: cell.gap && { mean: cell.gap.mean, interval: cell.gap.equivalenceInterval },
        equivalenceP: cell.gap && cell.gap.equivalenceInterval ? cell.gap.equivalenceP : null,
        verdict: cell.method.baseline
          ? 'the baseline'
          : (cell.gap?.text ?? 'no run of full fine-tuning to hold it against'),
      }),
    })),
    note: `Scores are means over seeds with 95 % intervals over seeds and test rows. p values are adjusted by Holm's procedure over ${comparisons === 1 ? 'the one comparison' : `all ${comparisons} comparisons`}; the intervals beside them are at the confidence that it leaves each.`,
  };
}

/** What validation said of every candidate. */
export function choiceTable(asked: Asked, evidence: Evidence, ended: Ended): ReportTable | null {
  const [first = 1] = asked.plan.seeds;
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'rate', title: 'Learning rate', unit: 'number' },
    {
      key: 'validation',
      title: `Validation ${measureKinds[asked.measure].name}`,
      unit: scoreUnit(evidence),
    },
    { key: 'chosen', title: 'Chosen', unit: null },
  ];
  const rows = evidence.cells.flatMap((cell) => {
    const chosen = chosenIn(asked, cell, ended);
    const { learningRates } = trainedIn(cell);
    if (learningRates.length < 2) return [];
    return learningRates.flatMap((rate) => {
      const run = ended.get(`${cell.key}/${first}/${rate}`);
      if (!run) return [];
      const validation = run.state === 'finished' ? run.result?.validation : null;
      const score = validation?.[asked.measure] ?? null;
      return [
        {
          method: cell.method.options.type,
          runs: [run.id],
          cells: cellsIn(columns, {
            ...placeCells(cell),
            rate,
            validation: score,
            chosen:
              chosen !== null && chosen !== 'failed' && chosen.rate === rate ? 'yes' : score === null ? run.state : '',
          }),
        },
      ];
    });
  });
  if (rows.length === 0) return null;
  return {
    id: 'choices',
    title: `Choice of learning rates, on seed ${first}`,
    columns,
    rows,
    note: 'The test was not read for this.',
  };
}

/** One row a final run. */
export function runTable(asked: Asked, evidence: Evidence): ReportTable {
  const { name } = measureKinds[evidence.measure];
  const { loss } = objectiveTable[taskTable[asked.datasets[0]?.task ?? 'classification'].objective];
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'seed', title: 'Seed', unit: null },
    { key: 'rate', title: 'Learning rate', unit: 'number' },
    { key: 'steps', title: 'Steps', unit: 'count' },
    { key: 'score', title: `Test ${name}`, unit: scoreUnit(evidence) },
    { key: 'loss', title: `Test ${loss.name}`, unit: loss.unit === 'nats' ? 'nats' : 'number' },
  ];
  return {
    id: 'runs',
    title: 'Final runs',
    columns,
    rows: evidence.cells.flatMap((cell) =>
      cell.runs.map(({ run, result, test }, index) => ({
        method: cell.method.options.type,
        runs: [run.id],
        cells: cellsIn(columns, {
          ...placeCells(cell),
          seed: String(run.seed),
          rate: run.plan.training.learningRate,
          steps: result.steps,
          score: cell.scores[index] ?? null,
          loss: test.loss,
        }),
      })),
    ),
    note: '',
  };
}

/** What the reader should know of runs that did not come to their end, of single seeds, and of choices at the edge of what was tried. */
export function runNotes(asked: Asked, evidence: Evidence, ended: Ended): string[] {
  const failed = [...ended.values()].filter(({ state }) => state !== 'finished');
  const edges = evidence.cells.filter((cell) => {
    const { learningRates } = trainedIn(cell);
    return (
      learningRates.length > 1 &&
      cell.chosenRate !== null &&
      [learningRates[0], learningRates.at(-1)].includes(cell.chosenRate)
    );
  });
  return [
    ...failed.map(failedInWords),
    ...(asked.plan.seeds.length < 2
      ? ['One seed only: the intervals cover other test rows, not other seeds, and nothing can be shown to be equal.']
      : []),
    ...edges.map(
      (cell) =>
        `${cellLabel(cell)}${placeInWords(asked, cell)}: the ${cell.chosenRate === trainedIn(cell).learningRates[0] ? 'lowest' : 'highest'} of the learning rates tried (${cell.chosenRate}) was the best on validation; one beyond it may be better still.`,
    ),
  ];
}

/** Of a matrix held against full fine-tuning, also what has no run to be held against. */
export function matrixNotes(asked: Asked, evidence: Evidence, ended: Ended): string[] {
  const unpaired = evidence.cells.filter(
    ({ method, gap, runs }) => !method.baseline && gap === null && runs.length > 0,
  );
  return [
    ...runNotes(asked, evidence, ended),
    ...unpaired.map(
      (cell) =>
        `${labelOf(cell.method)}${placeInWords(asked, cell)} has no run of full fine-tuning of the same seed to be held against.`,
    ),
  ];
}

const failedInWords = ({ id, methodName, seed, state, problem, plan }: Run): string =>
  `Run ${id} (${methodName}, seed ${seed}, learning rate ${plan.training.learningRate}) ${state === 'failed' ? `failed and is left out${problem ? `: ${problem.message}` : '.'}` : `was ${state} and is left out.`}`;

/** Verdicts of a list of cells, one each. */
export function gapVerdicts(asked: Asked, cells: readonly CellEvidence[]): Report['verdicts'] {
  return cells.flatMap((cell) =>
    cell.gap
      ? [
          {
            kind: verdictKinds[cell.gap.decision],
            text: `${labelOf(cell.method)}${placeInWords(asked, cell)} is ${cell.gap.text}.`,
            runs: cell.runs.map(({ run }) => run.id),
          },
        ]
      : [],
  );
}
