import { describe, expect, it } from 'vitest';
import { appliesTable, idleBecause, trainingFor, type Chosen } from '../../../electron/contract/applies.js';
import { objectiveSchema } from '../../../electron/contract/objectives.js';
import { trainingSchema } from '../../../electron/contract/plan.js';

const chosen = (change: Partial<Chosen>): Chosen => ({
  objectives: ['classification'],
  form: null,
  validated: true,
  searches: false,
  device: 'cpu',
  ...change,
});
const keys = Object.keys(trainingSchema.shape);
const idle = (change: Partial<Chosen>) => keys.filter((key) => idleBecause(key, chosen(change)) !== null);

const guesses = ['mlmProbability', 'maskReplaceProb', 'randomReplaceProb'];
const marks = ['windowStride', 'maxAnswerTokens'];
const answers = ['completionOnlyLoss', 'exactMatchRows'];
const inOrder = (...some: readonly (readonly string[])[]) => keys.filter((key) => some.flat().includes(key));

describe('settings of a training', () => {
  it('stand in the table, all of them and no others', () =>
    expect(Object.keys(appliesTable).sort()).toEqual([...keys].sort()));

  it.each([
    ['classification', null, inOrder(['packing'], guesses, marks, answers)],
    ['regression', null, inOrder(['classWeights', 'packing'], guesses, marks, answers)],
    ['multi-label', null, inOrder(['classWeights', 'packing'], guesses, marks, answers)],
    ['token-classification', null, inOrder(['classWeights', 'packing'], guesses, marks, answers)],
    ['question-answering', null, inOrder(['classWeights', 'packing'], guesses, answers)],
    ['causal-lm', 'instruction', inOrder(['classWeights'], guesses, marks)],
    ['causal-lm', 'chat', inOrder(['classWeights'], guesses, marks)],
    ['causal-lm', 'text', inOrder(['classWeights'], guesses, marks, answers)],
    ['masked-lm', 'text', inOrder(['classWeights'], marks, answers)],
  ] as const)('%s on data of the form %s', (objective, form, expected) =>
    expect(idle({ objectives: [objective], form })).toEqual(expected),
  );

  it('that belong to no objective play a part for every one', () => {
    const always = keys.filter((key) =>
      objectiveSchema.options.every((objective) => !idle({ objectives: [objective] }).includes(key)),
    );
    expect(idle({ objectives: [] }).sort()).toEqual(keys.filter((key) => !always.includes(key)).sort());
    expect(always).toEqual(expect.arrayContaining(['epochs', 'batchSize', 'learningRate', 'seed']));
  });

  it('of either objective stay while it is not known which one it is', () =>
    expect(idle({ objectives: ['causal-lm', 'masked-lm'], form: 'text' })).toEqual(
      inOrder(['classWeights'], marks, answers),
    ));

  it('of the optimizer play no part where a wording is searched for', () => {
    const extra = idle({ searches: true }).filter((key) => !idle({}).includes(key));
    expect(extra).toEqual([
      'optimizer',
      'learningRate',
      'schedule',
      'warmupRatio',
      'weightDecay',
      'gradientClip',
      'modelDropout',
      'loadIn8bit',
    ]);
    expect(idleBecause('optimizer', chosen({ searches: true }))).toMatch(/searched/);
  });

  it('of the device and of validation follow these', () => {
    expect(idle({ device: 'webgpu' })).toEqual(expect.arrayContaining(['packWeights', 'loadIn8bit']));
    expect(idle({ device: 'auto' })).not.toContain('packWeights');
    expect(idle({ validated: false })).toEqual(expect.arrayContaining(['validateEverySteps', 'earlyStoppingPatience']));
  });

  it('give no reason for a key that is none of them', () => expect(idleBecause('toString', chosen({}))).toBeNull());
});

describe('what is trained by', () => {
  const training = trainingSchema.parse({ batchSize: 4, mlmProbability: 0.3, classWeights: { a: 2 }, packing: false });

  it('has the defaults again where a setting plays no part, and is left as it is elsewhere', () => {
    expect(trainingFor(training, chosen({}))).toEqual({ ...training, mlmProbability: 0.15, packing: true });
    const masked = trainingFor(training, chosen({ objectives: ['masked-lm'], form: 'text' }));
    expect(masked).toEqual({ ...training, classWeights: null });
  });

  it('is a training that the schema takes', () => {
    const made = trainingFor(training, chosen({ objectives: [], searches: true, device: 'cuda', validated: false }));
    expect(trainingSchema.parse(made)).toEqual(made);
  });
});
