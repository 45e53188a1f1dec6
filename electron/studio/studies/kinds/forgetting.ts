/** What does training take away: of what the base knew of language, and of tasks that were learned before? */
import { z } from 'zod';
import { problemSchema, StudioError } from '../../../contract/errors.js';
import { measureKinds } from '../../../evaluation/index.js';
import { requireHeads } from '../carried.js';
import { choiceTable, runNotes, runTable } from '../cells.js';
import { weigh } from '../evidence.js';
import { chainOf } from '../forgetting/chain.js';
import { formerFigures, formerOf, formerScores, formerTable, formerVerdicts } from '../forgetting/former.js';
import {
  generalFigure,
  generalLosses,
  generalOf,
  generalTable,
  generalVerdicts,
  textNotes,
} from '../forgetting/general.js';
import { duringFigures, duringNotes, duringTable, momentsOf } from '../forgetting/during.js';
import { languageOf, requireLanguage } from '../../watch.js';
import { checkMatrix, matrixProtocol, sizesOf, stepsOf } from '../matrix.js';
import type { StudyKindSpec } from './kind.js';

const failed = z.object({ problem: problemSchema });

export const forgetting: StudyKindSpec = {
  kind: 'forgetting',
  title: 'Forgetting',
  question: 'What does training take away: of what the base knew of language, and of tasks that were learned before?',
  leastData: 1,
  shares: true,
  check(asked) {
    checkMatrix(asked);
    if (sizesOf(asked).length > 1)
      throw new StudioError(
        'bad-input',
        'examplesPerClass: a study of forgetting takes one size.',
        'Give one number, or "all".',
        { path: 'examplesPerClass' },
      );
    if (asked.datasets.length > 1) requireHeads(asked, 'in a sequence of tasks each is tested again with its own');
  },
  checkBase: requireLanguage,
  steps: (asked, ended) => stepsOf(asked, chainOf(asked), ended),
  measurements: (asked, ended) => [...generalOf(asked, ended), ...formerOf(asked, ended)],
  protocol: (asked) => [
    ...matrixProtocol(asked, measureKinds[asked.measure].name),
    `The base model's own loss is measured on ${asked.plan.generalText ?? 'the bundled general text, which the starter model was not trained on'}: before any training, and after it with what each final run made of the base (${languageOf(asked.model) === 'masked-lm' ? 'masked language modelling, the same masks for all' : 'each token from those before it'}; up to 400 texts of up to 128 tokens). While a run trains it is measured at each validation too, on the first 100 of these texts.`,
    ...(asked.datasets.length > 1
      ? [
          `The tasks were learned one after another, ${asked.datasets.map(({ name }) => name).join(', then ')}: each method goes on from its own run of the task before, with a new head. After each, the tasks before are tested again with their own heads.`,
        ]
      : []),
    "Differences are paired by seed and by text or test row; their errors come from a hierarchical bootstrap over seeds and rows, the intervals from Student's t. Changes from the base, differences from full fine-tuning, and changes of former tasks are three families of comparisons, each corrected by Holm's procedure at 5 %.",
  ],
  async report(context, asked, ended, measured) {
    const chain = chainOf(asked);
    const evidence = await weigh(context, asked, ended, { cells: chain.flat(), against: () => null, baseline: null });
    const general = await generalLosses(asked, ended, measured);
    const during = await momentsOf(context, asked, ended, measured);
    const former = await formerScores(asked, ended, measured);
    const choices = choiceTable(asked, evidence, ended);
    return {
      verdicts: [...generalVerdicts(general), ...formerVerdicts(former)],
      tables: [
        generalTable(general),
        ...duringTable(asked, during),
        ...(former.length > 0 ? [formerTable(asked, former)] : []),
        ...(choices ? [choices] : []),
        runTable(asked, evidence),
      ],
      figures: [...generalFigure(asked, general), ...duringFigures(asked, during), ...formerFigures(asked, former)],
      notes: [
        ...runNotes(asked, evidence, ended),
        ...textNotes(measured),
        ...duringNotes(asked, ended, during),
        ...[...measured.values()].flatMap((value) => {
          const problem = failed.safeParse(value);
          return problem.success ? [`A measurement failed and is left out: ${problem.data.problem.message}`] : [];
        }),
      ],
    };
  },
};
