/** What does each method cost beside full fine-tuning, and what quality comes of it? */
import type { Report, ReportFigure, ReportTable, Run, RunResult } from '../../../contract/entities.js';
import { StudioError } from '../../../contract/errors.js';
import { judgeRatios, measureKinds, medianOf, timesInWords, type JudgedRatio } from '../../../evaluation/index.js';
import {
  cellsIn,
  choiceTable,
  gapTable,
  gapVerdicts,
  labelOf,
  matrixNotes,
  placeCells,
  placeColumns,
  placeInWords,
  runTable,
  scoreUnit,
  toldScore,
} from '../cells.js';
import { weigh, type CellEvidence, type Evidence } from '../evidence.js';
import { checkMatrix, matrixProtocol, matrixSteps } from '../matrix.js';
import { statisticsInWords } from '../statistics.js';
import type { Asked, Ended, StudyKindSpec } from './kind.js';

/** Tasks that a device may have to carry. */
const taskCounts = [1, 10, 100];

/** What is measured of a run and differs from run to run, with how a verdict names it. */
const measuredCosts = [
  { key: 'secondsPerStep', words: 'time of a step' },
  { key: 'peakMemoryBytes', words: 'peak memory' },
] as const satisfies readonly { readonly key: keyof RunResult; readonly words: string }[];

export const cost: StudyKindSpec = {
  kind: 'cost',
  title: 'Cost',
  question: 'What does each method cost beside full fine-tuning, and what quality comes of it?',
  leastData: 1,
  // Memory is measured: each run has a process of its own.
  shares: false,
  check(asked) {
    if (asked.plan.examplesPerClass.length > 1)
      throw new StudioError(
        'bad-input',
        'examplesPerClass: a study of cost compares methods at one size.',
        'Give one, or leave it out for all examples.',
        { path: 'examplesPerClass' },
      );
    checkMatrix(asked);
  },
  steps: (asked, ended) => matrixSteps(asked, ended, true),
  protocol: (asked) => [
    ...matrixProtocol(asked, measureKinds[asked.measure].name),
    'Every run had a process of its own and ran alone in the studio; methods took turns, beginning with another one at each seed, so that what else the machine did fell on all alike. Runs of the choice count for times and memory too.',
    'The time of a step is the median of the steps of a run, and over runs their median; peak memory is the largest that the process held, the program itself included. Ratios to full fine-tuning are paired in the order of the runs; their intervals are t intervals of the logarithms, corrected for all ratios by Holm’s procedure at 5 %.',
    `To carry N tasks takes the base once and the trained file of each; full fine-tuning takes a whole model each.`,
    ...statisticsInWords(asked),
  ],
  async report(context, asked, ended) {
    const evidence = await weigh(context, asked, ended);
    const costs = costsOf(evidence, ended);
    const choices = choiceTable(asked, evidence, ended);
    return {
      verdicts: [
        ...ratioVerdicts(asked, costs),
        ...storageVerdicts(asked, costs),
        ...gapVerdicts(asked, evidence.cells),
      ],
      tables: [
        costTable(asked, costs),
        storageTable(asked, costs),
        gapTable(asked, evidence),
        ...(choices ? [choices] : []),
        runTable(asked, evidence),
      ],
      figures: paretos(asked, evidence, costs),
      notes: [...matrixNotes(asked, evidence, ended), ...stagedNotes(costs)],
    };
  },
};

interface CellCost {
  readonly cell: CellEvidence;
  /** Every finished run of the method at this place, of choice or final, in the order in which they ran. */
  readonly runs: readonly (Run & { readonly result: RunResult })[];
  /** By what is measured; null for the baseline, and where there is no pair. */
  readonly ratios: ReadonlyMap<string, JudgedRatio>;
}

function costsOf({ cells }: Evidence, ended: Ended): CellCost[] {
  const withRuns = cells.map((cell) => ({
    cell,
    runs: [...ended]
      .filter(([key, { state }]) => key.startsWith(`${cell.key}/`) && state === 'finished')
      .flatMap(([, run]) => (run.result ? [{ ...run, result: run.result }] : []))
      .sort((a, b) => a.id - b.id),
  }));
  const lists = withRuns.flatMap(({ cell, runs }) => {
    const baseline = withRuns.find(({ cell: other }) => other.method.baseline && other.dataset === cell.dataset);
    if (cell.method.baseline || !baseline) return [];
    return measuredCosts.flatMap(({ key }) => {
      const ratios = runs.flatMap(({ result }, index) => {
        const [own, other] = [result[key] ?? 0, baseline.runs[index]?.result[key] ?? 0];
        return other > 0 && own > 0 ? [own / other] : [];
      });
      return ratios.length > 0 ? [{ cell, key, ratios }] : [];
    });
  });
  const judged = judgeRatios(lists.map(({ ratios }) => ratios));
  return withRuns.map(({ cell, runs }) => ({
    cell,
    runs,
    ratios: new Map(
      lists.flatMap(({ cell: other, key }, index) => {
        const ratio = judged[index];
        return other === cell && ratio ? [[key, ratio]] : [];
      }),
    ),
  }));
}

const median = ({ runs }: CellCost, of: (result: RunResult) => number | null): number | null => {
  const values = runs.flatMap(({ result }) => of(result) ?? []);
  return values.length === 0 ? null : medianOf(values);
};
const runIds = ({ runs }: Pick<CellCost, 'runs'>) => runs.map(({ id }) => id);

function costTable(asked: Asked, costs: readonly CellCost[]): ReportTable {
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'runs', title: 'Runs', unit: 'count' },
    { key: 'trainable', title: 'Trained parameters', unit: 'count' },
    { key: 'share', title: 'Share of all', unit: 'share' },
    { key: 'step', title: 'Time of a step', unit: 'seconds' },
    { key: 'stepRatio', title: "Times full fine-tuning's step", unit: 'number' },
    { key: 'tokens', title: 'Tokens a second', unit: 'number' },
    { key: 'memory', title: 'Peak memory', unit: 'bytes' },
    { key: 'memoryRatio', title: "Times full fine-tuning's memory", unit: 'number' },
    { key: 'optimizer', title: 'Optimizer state', unit: 'bytes' },
    { key: 'file', title: 'Trained file', unit: 'bytes' },
    { key: 'training', title: 'Training', unit: 'seconds' },
  ];
  return {
    id: 'costs',
    title: 'Costs of training',
    columns,
    rows: costs.map((one) => {
      const ratio = (key: string) => {
        const found = one.ratios.get(key);
        return found ? { mean: found.ratio, interval: found.interval } : null;
      };
      return {
        method: one.cell.method.options.type,
        runs: runIds(one),
        cells: cellsIn(columns, {
          ...placeCells(one.cell),
          runs: one.runs.length,
          trainable: median(one, (result) => result.trainableParameters),
          share: median(one, ({ trainableParameters, totalParameters }) => trainableParameters / totalParameters),
          step: median(one, (result) => result.secondsPerStep),
          stepRatio: ratio('secondsPerStep'),
          tokens: median(one, (result) => result.tokensPerSecond),
          memory: median(one, (result) => result.peakMemoryBytes),
          memoryRatio: ratio('peakMemoryBytes'),
          optimizer: median(one, (result) => result.optimizerBytes),
          file: median(one, (result) => result.checkpointBytes),
          training: median(one, (result) => result.trainingSeconds),
        }),
      };
    }),
    note: 'Medians over the runs, those of the choice included. Ratios are geometric means over pairs of runs, with their intervals.',
  };
}

/** Bytes to carry so many tasks: the base and a file each; of full fine-tuning a whole model each. */
const carried = (asked: Asked, cell: CellEvidence, file: number, tasks: number): number =>
  (cell.method.baseline || cell.method.options.type === 'full' ? 0 : asked.model.bytes) + tasks * file;

function storageTable(asked: Asked, costs: readonly CellCost[]): ReportTable {
  const columns: ReportTable['columns'] = [
    ...placeColumns(asked),
    { key: 'file', title: 'A task', unit: 'bytes' },
    ...taskCounts.map((tasks) => ({
      key: `tasks-${tasks}`,
      title: `${tasks} ${tasks === 1 ? 'task' : 'tasks'}, base included`,
      unit: 'bytes' as const,
    })),
  ];
  return {
    id: 'storage',
    title: 'Bytes to carry tasks',
    columns,
    rows: costs.map((one) => {
      const file = median(one, (result) => result.checkpointBytes);
      return {
        method: one.cell.method.options.type,
        runs: runIds(one),
        cells: cellsIn(columns, {
          ...placeCells(one.cell),
          file,
          ...Object.fromEntries(
            taskCounts.map((tasks) => [`tasks-${tasks}`, file === null ? null : carried(asked, one.cell, file, tasks)]),
          ),
        }),
      };
    }),
    note: `The base is ${(asked.model.bytes / 1e6).toFixed(1)} MB. A task is the trained file as the studio keeps it, head included.`,
  };
}

function ratioVerdicts(asked: Asked, costs: readonly CellCost[]): Report['verdicts'] {
  return costs.flatMap((one) =>
    measuredCosts.flatMap(({ key, words }) => {
      const ratio = one.ratios.get(key);
      if (!ratio) return [];
      return [
        {
          ...ratioVerdict(`${labelOf(one.cell.method)}${placeInWords(asked, one.cell)}`, words, ratio),
          runs: runIds(one),
        },
      ];
    }),
  );
}

/** What a ratio's interval allows to be said. */
export function ratioVerdict(
  name: string,
  what: string,
  { decision, interval, ratio, pairs }: JudgedRatio,
): Pick<Report['verdicts'][number], 'kind' | 'text'> {
  if (interval === null)
    return {
      kind: 'note',
      text: `${name} took ${ratio.toPrecision(2)} times full fine-tuning's ${what} in the one pair of runs there is, which tells no interval.`,
    };
  const times = `${timesInWords(interval)} full fine-tuning's ${what} (${pairs} pairs of runs)`;
  switch (decision) {
    case 'less':
      return { kind: 'for-peft', text: `${name} takes less: ${times}.` };
    case 'more':
      return { kind: 'against-peft', text: `${name} takes more: ${times}.` };
    case 'undecided':
      return { kind: 'undecided', text: `${name} may take less or more: ${times}.` };
  }
}

/** Sizes of files do not vary: they are compared as they are. */
function storageVerdicts(asked: Asked, costs: readonly CellCost[]): Report['verdicts'] {
  const most = taskCounts.at(-1) ?? 1;
  return costs.flatMap((one) => {
    const full = costs.find(({ cell }) => cell.method.baseline && cell.dataset === one.cell.dataset);
    const own = median(one, (result) => result.checkpointBytes);
    const theirs = full ? median(full, (result) => result.checkpointBytes) : null;
    if (one.cell.method.baseline || !full || own === null || theirs === null) return [];
    const name = `${labelOf(one.cell.method)}${placeInWords(asked, one.cell)}`;
    const [bytes, against] = [carried(asked, one.cell, own, most), carried(asked, full.cell, theirs, most)];
    const text = `${name} takes ${megabytes(bytes)} to carry ${most} tasks, full fine-tuning ${megabytes(against)}.`;
    return [
      {
        kind: bytes < against ? ('for-peft' as const) : ('against-peft' as const),
        text,
        runs: [...runIds(one), ...runIds(full)],
      },
    ];
  });
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toLocaleString('en', { maximumSignificantDigits: 3 })} MB`;

/** Quality against each cost, one figure each and data set. */
function paretos(asked: Asked, evidence: Evidence, costs: readonly CellCost[]): ReportFigure[] {
  const axes = [
    {
      id: 'trainable',
      title: 'Trained parameters',
      unit: 'count' as const,
      of: (result: RunResult) => result.trainableParameters,
    },
    { id: 'step', title: 'Time of a step', unit: 'seconds' as const, of: (result: RunResult) => result.secondsPerStep },
    { id: 'memory', title: 'Peak memory', unit: 'bytes' as const, of: (result: RunResult) => result.peakMemoryBytes },
    { id: 'file', title: 'Bytes a task', unit: 'bytes' as const, of: (result: RunResult) => result.checkpointBytes },
  ];
  const { name } = measureKinds[evidence.measure];
  return asked.datasets.flatMap((dataset, place) =>
    axes.map(({ id, title, unit, of }) => ({
      kind: 'pareto' as const,
      id: `pareto-${id}-${place + 1}`,
      title: `Test ${name} against ${title.toLowerCase()}${asked.datasets.length > 1 ? `, ${dataset.name}` : ''}`,
      x: { title, unit, log: id === 'trainable' || id === 'file' },
      y: { title: name, unit: scoreUnit(evidence), log: false },
      points: costs.flatMap((one) => {
        const [x, told] = [median(one, of), toldScore(evidence, one.cell)];
        return one.cell.dataset === dataset && x !== null && told
          ? [
              {
                label: labelOf(one.cell.method),
                type: one.cell.method.options.type,
                x,
                y: told.mean,
                interval: told.interval,
              },
            ]
          : [];
      }),
    })),
  );
}

const stagedNotes = (costs: readonly CellCost[]): string[] =>
  costs
    .filter(({ runs }) => runs.some(({ result }) => (result.stages ?? 1) > 1))
    .map(
      ({ cell }) =>
        `${labelOf(cell.method)} trains in stages: its trained parameters and optimizer are those of the largest stage that ran, its time of a step the mean of all.`,
    );
