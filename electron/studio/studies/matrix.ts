/**
 * The matrix of runs that several kinds share: methods × data sets × sizes × seeds, each method at the learning rate that validation
 * chose for it. Every method has the same budget: all candidates on the first seed, without the test; the one best on validation is
 * tested as it is, and taken for the other seeds.
 */
import type { Dataset, Run } from '../../contract/entities.js';
import { StudioError } from '../../contract/errors.js';
import { validationScore } from '../../evaluation/index.js';
import { drawnRows, leastSteps, planOf } from './plans.js';
import type { Asked, Ended, StudyMethod, StudyStep } from './kinds/kind.js';

export interface Cell {
  readonly dataset: Dataset;
  readonly size: number | null;
  readonly method: StudyMethod;
  /** Begins the keys of its runs. */
  readonly key: string;
  /** Of runs that go on from what was trained on other data. */
  readonly carried?: Carried;
}

export interface Carried {
  /** Its final runs are gone on from, each by the run of its seed. */
  readonly from: Cell;
  /** `frozen`: nothing but a new head trains; `tuned`: what was trained trains on. */
  readonly how: 'frozen' | 'tuned';
  /** What trains now, with candidates of its own. */
  readonly trains: StudyMethod;
}

/** What trains in a cell's runs. */
export const trainedIn = ({ method, carried }: Pick<Cell, 'method' | 'carried'>): StudyMethod =>
  carried?.trains ?? method;

/** Sizes ascending, all examples last. */
export const sizesOf = ({ plan }: Pick<Asked, 'plan'>): (number | null)[] => {
  const some = plan.examplesPerClass.filter((size) => size !== 'all').sort((a, b) => a - b);
  return plan.examplesPerClass.includes('all') ? [...some, null] : some;
};

/** Every method from the base model at one place, the baseline first. */
export const cellsAt = ({ methods }: Pick<Asked, 'methods'>, dataset: Dataset, size: number | null): Cell[] =>
  methods.map((method, index) => ({ dataset, size, method, key: `${dataset.name}/${size ?? 'all'}/${index}` }));

/** Data sets, in each sizes: the cells of one place together. */
const placesOf = (asked: Asked): Cell[][] =>
  asked.datasets.flatMap((dataset) => sizesOf(asked).map((size) => cellsAt(asked, dataset, size)));

export const cellsOf = (asked: Asked): Cell[] => placesOf(asked).flat();

const keyOf = (cell: Cell, seed: number, rate: number | 'chosen') => `${cell.key}/${seed}/${rate}`;

/** The rate that validation chose and its run; null while runs of choice are missing, `failed` where none of them finished. */
export function chosenIn(
  asked: Asked,
  cell: Cell,
  ended: Ended,
): { readonly rate: number; readonly run: Run | null } | 'failed' | null {
  const [first = 1] = asked.plan.seeds;
  const { learningRates } = trainedIn(cell);
  const [only, ...others] = learningRates;
  if (only !== undefined && others.length === 0) return { rate: only, run: null };
  const tried = learningRates.map((rate) => ({ rate, run: ended.get(keyOf(cell, first, rate)) }));
  if (tried.some(({ run }) => run === undefined)) return null;
  const scored = tried.flatMap(({ rate, run }) => {
    const validation = run?.state === 'finished' ? run.result?.validation : null;
    return run && validation
      ? [{ rate, run, score: validationScore(validation, asked.measure), loss: validation.loss }]
      : [];
  });
  // Of equals the one with the lower loss, then the lower rate.
  const [best] = scored.sort((a, b) => b.score - a.score || a.loss - b.loss || a.rate - b.rate);
  return best ? { rate: best.rate, run: best.run } : 'failed';
}

/** The final run of a cell at one seed; null while it has not ended, `failed` where it never will have finished. */
function finalIn(asked: Asked, cell: Cell, seed: number, ended: Ended): Run | 'failed' | null {
  const chosen = chosenIn(asked, cell, ended);
  if (chosen === null || chosen === 'failed') return chosen;
  const run = seed === asked.plan.seeds[0] && chosen.run ? chosen.run : ended.get(keyOf(cell, seed, 'chosen'));
  if (run === undefined) return null;
  return run.state === 'finished' ? run : 'failed';
}

/** The runs of one method at one place that its result is made of, by seed: finished and tested. */
export function finalsOf(asked: Asked, cell: Cell, ended: Ended): Run[] {
  return asked.plan.seeds.flatMap((seed) => {
    const run = finalIn(asked, cell, seed, ended);
    return run !== null && run !== 'failed' && run.result?.test ? [run] : [];
  });
}

/**
 * All runs of the matrix: one method after the other, so that runs in a row share what was compiled for them, or with `turns`, where
 * times are measured, the methods of a place in turns.
 */
export function matrixSteps(asked: Asked, ended: Ended, turns = false): StudyStep[] {
  const places = placesOf(asked);
  return stepsOf(asked, turns ? places : places.flatMap((here) => here.map((cell) => [cell])), ended);
}

/**
 * The runs of some cells, those of one place after those of another. Methods of a place take turns, and begin with another one at each seed:
 * what wears on the machine falls on all alike. Runs that would go on from a failed one are left out.
 */
export function stepsOf(asked: Asked, places: readonly (readonly Cell[])[], ended: Ended): StudyStep[] {
  const [first = 1] = asked.plan.seeds;
  return places.flatMap((here) => {
    const rates = (cell: Cell) => trainedIn(cell).learningRates;
    const most = Math.max(0, ...here.map((cell) => rates(cell).length));
    const choices = Array.from({ length: most }, (_, place) =>
      here.flatMap((cell) => {
        const rate = rates(cell)[place];
        return rate === undefined || rates(cell).length === 1 ? [] : choiceOf(cell, rate);
      }),
    ).flat();
    const finals = asked.plan.seeds.flatMap((seed, index) =>
      [...here.slice(index % here.length), ...here.slice(0, index % here.length)].flatMap((cell) =>
        seed === first && rates(cell).length > 1 ? [] : finalOf(cell, seed),
      ),
    );
    return [...choices, ...finals];
  });

  function choiceOf(cell: Cell, learningRate: number): StudyStep[] {
    const chosen = chosenIn(asked, cell, ended);
    const won = chosen !== null && chosen !== 'failed' && chosen.rate === learningRate && chosen.run !== null;
    return stepOf(cell, {
      key: keyOf(cell, first, learningRate),
      role: won ? 'final' : 'choice',
      seed: first,
      rate: learningRate,
      testsAtOnce: false,
      readTest: won && chosen.run?.result?.test === null,
    });
  }

  function finalOf(cell: Cell, seed: number): StudyStep[] {
    const chosen = chosenIn(asked, cell, ended);
    const rate = chosen === null || chosen === 'failed' ? null : chosen.rate;
    const key = keyOf(cell, seed, 'chosen');
    return stepOf(cell, { key, role: 'final', seed, rate, testsAtOnce: true, readTest: false });
  }

  interface Place extends Pick<StudyStep, 'key' | 'role' | 'seed' | 'readTest'> {
    readonly rate: number | null;
    readonly testsAtOnce: boolean;
  }

  function stepOf(cell: Cell, { rate, testsAtOnce, ...place }: Place): StudyStep[] {
    const { dataset, size, carried } = cell;
    const method = trainedIn(cell);
    const former = carried ? finalIn(asked, carried.from, place.seed, ended) : undefined;
    if (former === 'failed') return [];
    const refines = former && {
      run: former.id,
      by: carried?.how === 'tuned' ? ('continue' as const) : undefined,
    };
    const plan =
      rate === null || former === null
        ? null
        : planOf(asked, {
            dataset,
            method,
            size,
            seed: place.seed,
            learningRate: rate,
            readTest: testsAtOnce,
            ...(refines ? { refines } : {}),
          });
    return [{ ...place, plan, dataset, method, size, start: carried ? startOf(cell.method, carried) : null }];
  }
}

/** "LoRA of topics, frozen" */
const startOf = ({ methodName }: StudyMethod, { from, how }: Carried): string =>
  `${methodName} of ${from.dataset.name}${how === 'frozen' ? ', frozen' : ''}`;

/** Refuses data without the splits that it needs. */
export function checkMatrix(asked: Asked): void {
  const choosing = asked.methods.some(({ learningRates }) => learningRates.length > 1);
  for (const { name, rows } of asked.datasets) {
    if (rows.test === 0)
      throw new StudioError(
        'bad-data',
        `data: "${name}" has no test rows, which the methods are held against each other on.`,
        'Import it with a test split.',
        { path: 'data' },
      );
    if (choosing && rows.validation === 0)
      throw new StudioError(
        'bad-data',
        `data: "${name}" has no validation rows to choose a learning rate by.`,
        'Import it with a validation split, or give one learning rate.',
        { path: 'data' },
      );
  }
}

const list = (values: readonly (string | number)[]) =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`;

export function matrixProtocol(asked: Asked, measureName: string): string[] {
  const { plan, model, datasets, methods } = asked;
  const [first, ...others] = plan.seeds;
  const candidates = methods[0]?.learningRates.length ?? 1;
  const sizes = sizesOf(asked);
  const some = sizes.filter((size) => size !== null);
  const open = plan.training.epochs === undefined && (plan.training.maxSteps ?? null) === null;
  return [
    ...datasets.map(
      ({ name, rows }) =>
        `Base model ${model.name}, data ${name}: ${rows.train.toLocaleString('en')} training, ${rows.validation.toLocaleString('en')} validation and ${rows.test.toLocaleString('en')} test rows.`,
    ),
    ...(some.length > 0
      ? [
          `Trained on ${list(some)} examples of each class${sizes.includes(null) ? ', and on all' : ''}, drawn from the training rows by the seed: the same rows for every method at one seed, and fewer are part of more. Validation and test stay whole.`,
        ]
      : []),
    ...(some.length > 0 && open
      ? [
          `Runs on a few examples take ${leastSteps} steps, or three epochs where these are more: ${datasets.map((set) => `${set.name} has ${drawnRows(set, some[0] ?? null).toLocaleString('en')} rows at the smallest size`).join(', ')}.`,
        ]
      : []),
    candidates > 1
      ? `Every method, full fine-tuning included, had the same budget: ${candidates} learning rates on seed ${first}, of which the one with the best validation ${measureName} was taken${plan.learningRates === null ? " (a third, one and three times the method's own rate)" : ''}${others.length > 0 ? `, then seed${others.length > 1 ? 's' : ''} ${list(others)} with it` : ''}. All other settings were the same.`
      : `Every method, full fine-tuning included, was trained at one learning rate${plan.learningRates === null ? ', its own' : ''}, on seed${plan.seeds.length > 1 ? 's' : ''} ${list(plan.seeds)}; nothing was tuned. All other settings were the same.`,
    'The test rows were read once, by the final runs, with the parameters of their best validation; the run that was best in the choice is the final run of its seed, and was not trained again.',
  ];
}
