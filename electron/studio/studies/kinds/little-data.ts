/** From how many examples on is full fine-tuning ahead, if at all? */
import type { Report, ReportFigure, ReportTable } from '../../../contract/entities.js';
import { StudioError } from '../../../contract/errors.js';
import { measureKinds } from '../../../evaluation/index.js';
import {
  cellsIn,
  choiceTable,
  gapTable,
  labelOf,
  matrixNotes,
  runTable,
  scoreUnit,
  sizeInWords,
  toldScore,
} from '../cells.js';
import { crossingInWords, crossingOf, type SizedDecision } from '../crossing.js';
import { weigh, type CellEvidence, type Evidence } from '../evidence.js';
import { checkMatrix, matrixProtocol, matrixSteps } from '../matrix.js';
import { statisticsInWords } from '../statistics.js';
import type { Asked, StudyKindSpec } from './kind.js';

export const littleData: StudyKindSpec = {
  kind: 'little-data',
  title: 'Little data',
  question: 'From how many examples a class on is full fine-tuning ahead, if at all?',
  leastData: 1,
  shares: true,
  check(asked) {
    if (asked.plan.examplesPerClass.length < 2)
      throw new StudioError(
        'bad-input',
        'examplesPerClass: a curve needs two sizes or more.',
        'Give for instance [8, 16, 32, 64, "all"].',
        { path: 'examplesPerClass' },
      );
    checkMatrix(asked);
  },
  steps: (asked, ended) => matrixSteps(asked, ended),
  protocol: (asked) => [
    ...matrixProtocol(asked, measureKinds[asked.measure].name),
    ...statisticsInWords(asked),
    'Full fine-tuning counts as ahead from a size where the interval of the difference excludes 0 there and at every larger size tried.',
  ],
  async report(context, asked, ended) {
    const evidence = await weigh(context, asked, ended);
    const choices = choiceTable(asked, evidence, ended);
    const curves = curvesOf(asked, evidence);
    return {
      verdicts: verdictsOn(asked, curves),
      tables: [
        crossingTable(asked, curves),
        gapTable(asked, evidence),
        ...(choices ? [choices] : []),
        runTable(asked, evidence),
      ],
      figures: asked.datasets.map((dataset, place) => figure(asked, evidence, dataset, place)),
      notes: matrixNotes(asked, evidence, ended),
    };
  },
};

/** A method on a data set, by size, ascending; where a size has no difference to tell, it is left out. */
interface Curve {
  readonly cells: readonly CellEvidence[];
  readonly decisions: readonly SizedDecision[];
}

function curvesOf(asked: Asked, { cells }: Evidence): Curve[] {
  return asked.datasets.flatMap((dataset) =>
    asked.methods.slice(1).flatMap((method) => {
      const own = cells.filter((cell) => cell.dataset === dataset && cell.method === method);
      const decisions = own.flatMap(({ gap, size }) =>
        gap ? [{ size: sizeInWords(size), decision: gap.decision }] : [],
      );
      return decisions.length > 0 ? [{ cells: own, decisions }] : [];
    }),
  );
}

const nameOf = (asked: Asked, { cells: [first] }: Curve) =>
  first ? `${labelOf(first.method)}${asked.datasets.length > 1 ? ` on ${first.dataset.name}` : ''}` : '';
const runsOf = ({ cells }: Curve) => cells.flatMap(({ runs }) => runs.map(({ run }) => run.id));

function verdictsOn(asked: Asked, curves: readonly Curve[]): Report['verdicts'] {
  return curves.flatMap((curve) =>
    crossingInWords(nameOf(asked, curve), curve.decisions).map((verdict) => ({ ...verdict, runs: runsOf(curve) })),
  );
}

function crossingTable(asked: Asked, curves: readonly Curve[]): ReportTable {
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    ...(asked.datasets.length > 1 ? [{ key: 'data', title: 'Data', unit: null }] : []),
    { key: 'from', title: 'Full fine-tuning ahead from', unit: null },
    { key: 'ahead', title: 'Method ahead at', unit: null },
    { key: 'equal', title: `Within ±${asked.plan.zone} at`, unit: null },
    { key: 'sizes', title: 'Sizes tried', unit: null },
  ];
  return {
    id: 'crossings',
    title: 'Examples a class from which full fine-tuning is ahead',
    columns,
    rows: curves.flatMap((curve) => {
      const [first] = curve.cells;
      if (!first) return [];
      const { fullAheadFrom, methodAheadAt, equalAt } = crossingOf(curve.decisions);
      return [
        {
          method: first.method.options.type,
          runs: runsOf(curve),
          cells: cellsIn(columns, {
            method: labelOf(first.method),
            data: first.dataset.name,
            from: fullAheadFrom ?? 'no size tried',
            ahead: methodAheadAt.join(', ') || null,
            equal: equalAt.join(', ') || null,
            sizes: curve.decisions.map(({ size }) => size).join(', '),
          }),
        },
      ];
    }),
    note: '',
  };
}

/** Mean scores with their bands against examples a class; all of them stand at the mean number of a class. */
function figure(asked: Asked, evidence: Evidence, dataset: CellEvidence['dataset'], place: number): ReportFigure {
  const { name } = measureKinds[evidence.measure];
  // As rows are drawn: of each class only where a row has one.
  const classes = dataset.task === 'classification' ? dataset.labels.length : 0;
  const perClass = Math.round(dataset.rows.train / Math.max(1, classes));
  return {
    kind: 'curves',
    id: `curves-${place + 1}`,
    title: `Test ${name} by examples a class${asked.datasets.length > 1 ? `, ${dataset.name}` : ''}`,
    x: {
      title: classes > 0 ? `Examples a class (all: about ${perClass} each)` : 'Examples',
      unit: 'count',
      log: true,
    },
    y: { title: name, unit: scoreUnit(evidence), log: false },
    places: null,
    series: asked.methods.map((method) => ({
      label: labelOf(method),
      type: method.options.type,
      points: evidence.cells.flatMap((cell) => {
        const told = cell.method === method && cell.dataset === dataset ? toldScore(evidence, cell) : null;
        return told ? [{ x: cell.size ?? perClass, ...told }] : [];
      }),
    })),
  };
}
