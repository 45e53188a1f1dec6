/** Rows to write text from as a base model will see them. */
import type { Handlers } from '../contract/calls.js';
import type { BaseModel } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { firstExamples, openLanguageTools, tokenizedExamples, type PlacedRow } from '../data/index.js';
import { datasets, models } from '../storage/index.js';
import type { Context } from './context.js';

const toolsOf = ({ folder, vocabularySize, architecture }: BaseModel) =>
  openLanguageTools(folder, { vocabularySize, architecture });

export function tokenCalls({ database }: Context): Pick<Handlers, 'datasets.tokens'> {
  async function rowsOf(datasetId: number, limit: number): Promise<PlacedRow[]> {
    const { name, task } = await datasets.getDataset(database, datasetId);
    if (task !== 'generation')
      throw new StudioError(
        'bad-input',
        `The data set ${name} has classes; its texts are read, not written.`,
        'Choose a data set of the task generation.',
      );
    return (await datasets.pageRows(database, datasetId, { split: 'train' }, 0, limit)).rows;
  }

  return {
    'datasets.tokens': async ({ source, modelId, maxLength, completionOnlyLoss, limit }) => {
      const rows =
        'datasetId' in source
          ? await rowsOf(source.datasetId, limit)
          : await firstExamples(source.path, source.reading, source.columns, limit);
      const tools = modelId === null ? null : await toolsOf(await models.getModel(database, modelId));
      return {
        template: tools?.template.source ?? 'plain',
        examples: await tokenizedExamples(rows, tools, { maxLength, completionOnly: completionOnlyLoss }),
      };
    },
  };
}
