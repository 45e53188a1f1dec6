/** Does what was trained on one task help on another, and does it do so as full fine-tuning does? */
import type { Dataset, Report, ReportFigure, ReportTable } from '../../../contract/entities.js';
import { measureKinds } from '../../../evaluation/index.js';
import { namesOf } from '../../plan.js';
import { frozenBelow, requireHeads, tunedOn } from '../carried.js';
import {
  cellsIn,
  choiceTable,
  gapCell,
  labelOf,
  placeInWords,
  runNotes,
  runTable,
  scoreUnit,
  sizeInWords,
  toldScore,
  verdictKinds,
} from '../cells.js';
import { weigh, type CellEvidence, type Evidence } from '../evidence.js';
import { cellsAt, checkMatrix, matrixProtocol, sizesOf, stepsOf, type Carried, type Cell } from '../matrix.js';
import { candidates } from '../plans.js';
import type { Asked, StudyKindSpec, StudyMethod } from './kind.js';

type How = Carried['how'];
const hows: readonly How[] = ['frozen', 'tuned'];

export const portability: StudyKindSpec = {
  kind: 'portability',
  title: 'Portability',
  question: 'Does what was trained on one task help on another, and does it do so as full fine-tuning does?',
  leastData: 2,
  shares: true,
  carries: true,
  check(asked) {
    checkMatrix(asked);
    requireHeads(asked, 'what is carried over gets a new head');
  },
  steps: (asked, ended) => stepsOf(asked, [...startPlaces(asked), ...carriedPlaces(asked)], ended),
  protocol(asked) {
    const kind = measureKinds[asked.measure];
    const stuck = asked.methods.filter((method) => carries(method) && method.notBelowHead !== null);
    return [
      ...matrixProtocol(asked, kind.name),
      'Each method was trained on every data set with all its training examples, and what it trained was carried over to every other one: frozen below a new head, and trained further by the same method with a new head. A fresh start trains the method on the other data set from the base model. All have the same budget, seeds and rows.',
      `Full fine-tuning is carried over in the same two ways: the whole model stays frozen below a new head, or trains further.`,
      ...stuck.map(
        (method) =>
          `${labelOf(method)} is carried over to train further only: below a new head it cannot stay frozen (${method.notBelowHead}).`,
      ),
      `Differences in ${kind.name} are paired by seed and test row; their errors come from a hierarchical bootstrap over seeds and test rows, the intervals from Student's t. Against a fresh start and against full fine-tuning carried over alike are two families of comparisons; in each, claims of a difference and of being equal within ${kind.width(asked.plan.zone)} (two one-sided tests) are corrected by Holm's procedure at 5 %.`,
    ];
  },
  async report(context, asked, ended) {
    const cells = [...startPlaces(asked), ...carriedPlaces(asked)].flat();
    const kind = measureKinds[asked.measure];
    const named = (words: string) => (kind.unit === '%' ? `the perplexity of ${words}` : words);
    const fresh = await weigh(context, asked, ended, {
      cells,
      against: ({ carried, dataset, size, method }) =>
        carried
          ? (cells.find(
              (one) => !one.carried && one.method === method && one.dataset === dataset && one.size === size,
            ) ?? null)
          : null,
      baseline: named('a fresh start'),
    });
    const full = await weigh(context, asked, ended, {
      cells,
      against: ({ carried, dataset, size, method }) =>
        carried && !method.baseline
          ? (cells.find(
              (one) =>
                one.method.baseline &&
                one.carried?.how === carried.how &&
                one.carried.from.dataset === carried.from.dataset &&
                one.dataset === dataset &&
                one.size === size,
            ) ?? null)
          : null,
      baseline: named('full fine-tuning carried over alike'),
    });
    const choices = choiceTable(asked, fresh, ended);
    return {
      verdicts: [...verdictsOn(asked, fresh, true), ...verdictsOn(asked, full, false)],
      tables: [transferTable(asked, fresh, full), ...(choices ? [choices] : []), runTable(asked, fresh)],
      figures: sizesOf(asked).flatMap((size) =>
        hows.flatMap((how) => [heatMap(asked, fresh, size, how, 'score'), heatMap(asked, fresh, size, how, 'gain')]),
      ),
      notes: runNotes(asked, fresh, ended),
    };
  },
};

/** A head alone holds nothing that another task could use. */
const carries = ({ options }: StudyMethod) => options.type !== 'head';

/** Fresh starts at every size, and on all examples what is carried over later. */
function startPlaces(asked: Asked): Cell[][] {
  const sizes = [...sizesOf(asked).filter((size) => size !== null), null];
  return asked.datasets.flatMap((dataset) => sizes.map((size) => cellsAt(asked, dataset, size)));
}

/** From each data set to each other one, at every size, in both ways. */
function carriedPlaces(asked: Asked): Cell[][] {
  const head = headOf(asked);
  return asked.datasets.flatMap((source) =>
    asked.datasets
      .filter((dataset) => dataset !== source)
      .flatMap((dataset) =>
        sizesOf(asked).flatMap((size) => hows.map((how) => carriedAt(asked, head, source, dataset, size, how))),
      ),
  );
}

function carriedAt(
  asked: Asked,
  head: StudyMethod,
  source: Dataset,
  dataset: Dataset,
  size: number | null,
  how: How,
): Cell[] {
  const from = cellsAt(asked, source, null);
  return cellsAt(asked, dataset, size).flatMap((cell, index) => {
    const origin = from[index];
    if (!origin || !carries(cell.method) || (how === 'frozen' && cell.method.notBelowHead !== null)) return [];
    return [how === 'frozen' ? frozenBelow(cell, origin, head) : tunedOn(cell, origin)];
  });
}

function headOf({ plan }: Asked): StudyMethod {
  const options = { type: 'head' };
  return {
    options,
    ...namesOf({ method: options, verbalizer: null }),
    baseline: false,
    learningRates: candidates(options, plan.learningRates),
    notBelowHead: null,
  };
}

const words = { frozen: 'frozen below a new head', tuned: 'trained further' } as const;

function verdictsOn(asked: Asked, { cells }: Evidence, own: boolean): Report['verdicts'] {
  return cells.flatMap((cell) => {
    const { carried, gap, method } = cell;
    if (!carried || !gap) return [];
    const place = placeInWords(asked, cell).replace(/^ on /, '');
    return [
      {
        // That full fine-tuning carries over or does not says nothing of PEFT.
        kind: own && method.baseline ? ('note' as const) : verdictKinds[gap.decision],
        text: `${labelOf(method)} of ${carried.from.dataset.name}, ${words[carried.how]} on ${place}, is ${gap.text}.`,
        runs: cell.runs.map(({ run }) => run.id),
      },
    ];
  });
}

function transferTable(asked: Asked, fresh: Evidence, full: Evidence): ReportTable {
  const { name, unit } = measureKinds[fresh.measure];
  const difference = unit === '%' ? 'percent' : 'points';
  const columns: ReportTable['columns'] = [
    { key: 'method', title: 'Method', unit: null },
    { key: 'from', title: 'Trained on', unit: null },
    { key: 'data', title: 'Used on', unit: null },
    ...(sizesOf(asked).length > 1 ? [{ key: 'size', title: 'Examples a class', unit: null }] : []),
    { key: 'how', title: 'How', unit: null },
    { key: 'seeds', title: 'Seeds', unit: 'count' },
    { key: 'score', title: `Test ${name}`, unit: scoreUnit(fresh) },
    { key: 'fresh', title: `Test ${name}, fresh start`, unit: scoreUnit(fresh) },
    { key: 'gain', title: 'Difference from a fresh start', unit: difference },
    { key: 'full', title: 'Difference from full fine-tuning carried over alike', unit: difference },
    { key: 'verdict', title: 'Against a fresh start', unit: null },
  ];
  return {
    id: 'transfer',
    title: `Test ${name} of what was carried over`,
    columns,
    rows: fresh.cells.flatMap((cell) => {
      const { carried, method, dataset, size } = cell;
      if (!carried) return [];
      const start = fresh.cells.find(
        (one) => !one.carried && one.method === method && one.dataset === dataset && one.size === size,
      );
      const beside = full.cells.find(({ key }) => key === cell.key);
      return [
        {
          method: method.options.type,
          runs: cell.runs.map(({ run }) => run.id),
          cells: cellsIn(columns, {
            method: labelOf(method),
            from: carried.from.dataset.name,
            data: dataset.name,
            size: sizeInWords(size),
            how: words[carried.how],
            seeds: cell.runs.length,
            score: toldScore(fresh, cell),
            fresh: start ? toldScore(fresh, start) : null,
            gain: gapCell(cell.gap),
            full: method.baseline ? null : gapCell(beside?.gap ?? null),
            verdict: cell.gap?.text ?? 'no fresh start of the same seed to hold it against',
          }),
        },
      ];
    }),
    note: 'Scores are means over seeds with 95 % intervals over seeds and test rows; the intervals of differences are at the confidence that Holm’s procedure leaves each.',
  };
}

/** Rows: what was trained where. Columns: where it is used; its own task shows its own score. */
function heatMap(asked: Asked, evidence: Evidence, size: number | null, how: How, of: 'score' | 'gain'): ReportFigure {
  const { name, unit } = measureKinds[evidence.measure];
  const points = unit === '%' ? ('percent' as const) : ('points' as const);
  const at = (source: Dataset, dataset: Dataset, method: StudyMethod) =>
    evidence.cells.find(
      (cell) =>
        cell.method === method &&
        cell.dataset === dataset &&
        (source === dataset
          ? of === 'score' && !cell.carried && cell.size === null
          : cell.carried?.how === how && cell.carried.from.dataset === source && cell.size === size),
    );
  const value = (cell: CellEvidence | undefined): number | null => {
    if (!cell) return null;
    return of === 'gain' ? (cell.gap?.mean ?? null) : (toldScore(evidence, cell)?.mean ?? null);
  };
  const place = sizesOf(asked).length > 1 || size !== null ? `, ${sizeInWords(size)} examples a class` : '';
  return {
    kind: 'heat-map',
    id: `${of}-${how}-${size ?? 'all'}`,
    title:
      of === 'score'
        ? `Test ${name} of each result on each task, ${words[how]}${place}`
        : `Gain over a fresh start, ${words[how]}${place}`,
    unit: of === 'gain' ? points : scoreUnit(evidence),
    middle: of === 'gain' ? 0 : null,
    columns: asked.datasets.map((dataset) => dataset.name),
    rows: asked.methods.filter(carries).flatMap((method) =>
      asked.datasets.map((source) => ({
        label: `${labelOf(method)}, of ${source.name}`,
        type: method.options.type,
        values: asked.datasets.map((dataset) => value(at(source, dataset, method))),
      })),
    ),
  };
}
