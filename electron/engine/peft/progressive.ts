/**
 * Progressive unfreezing: embeddings, the top block and the head first, then more blocks from the top down, a stage each.
 * Gradual unfreezing and discriminative learning rates are Howard & Ruder's (2018, ULMFiT, arXiv:1801.06146); that the
 * embeddings train from the first stage is the scheme that some guides describe under the name of P-tuning.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { isEmbedding, layerOf } from '../models/names.js';
import { registerMethod } from './method.js';

const stage = z.strictObject({
  blocks: z.int().min(1).max(1000).describe('Blocks that train, counted from the top'),
  epochs: z
    .number()
    .positive()
    .max(1000)
    .nullable()
    .default(null)
    .meta({ description: 'null: epochsPerStage', empty: 'by rule' }),
  rate: z
    .number()
    .positive()
    .max(100)
    .nullable()
    .default(null)
    .meta({ description: "Factor of the plan's learning rate; null: by learningRateDecay", empty: 'by rule' }),
});

const options = z
  .strictObject({
    type: z.literal('progressive'),
    blocksPerStage: z.int().min(1).max(1000).nullable().default(null).meta({
      description: 'Blocks that each stage after the first opens; null: as many as make four stages',
      empty: 'four stages',
    }),
    epochsPerStage: z.number().positive().max(1000).nullable().default(null).meta({
      description: "Passes over the data in each stage; null: the plan's are shared out equally",
      empty: "the plan's",
    }),
    learningRateDecay: z
      .number()
      .positive()
      .max(1)
      .default(0.5)
      .describe("A stage's learning rate is that of the stage before times this"),
    layerDecay: z
      .number()
      .positive()
      .max(1)
      .default(0.9)
      .describe("A block's learning rate is that of the block above times this; the embeddings are lowest"),
    whenWorse: z
      .enum(['continue', 'stop', 'back'])
      .default('continue')
      .describe('After a stage that brought no best validation: go on, stop, or go on from the best parameters'),
    stages: z
      .array(stage)
      .min(1)
      .max(100)
      .nullable()
      .default(null)
      .describe('Stages one by one, the first first; null: by blocksPerStage'),
  })
  .superRefine(({ stages, epochsPerStage }, context) => {
    stages?.forEach(({ blocks }, at) => {
      if (blocks < (stages[at - 1]?.blocks ?? 0))
        context.addIssue({
          code: 'custom',
          path: ['stages', at, 'blocks'],
          message: `must be ${stages[at - 1]?.blocks} or more, as in the stage before: a stage closes no block`,
        });
    });
    const open = stages?.findIndex(({ epochs }) => epochs === null) ?? -1;
    if (open >= 0 && epochsPerStage === null && stages?.some(({ epochs }) => epochs !== null))
      context.addIssue({
        code: 'custom',
        path: ['stages', open, 'epochs'],
        message: 'must be set where other stages set it (or set epochsPerStage)',
      });
  });
type Options = z.output<typeof options>;

/** Blocks that train in each stage. */
function opened({ stages, blocksPerStage }: Options, layers: number): number[] {
  if (stages) return stages.map(({ blocks }) => blocks);
  const more = blocksPerStage ?? Math.max(1, Math.ceil((layers - 1) / 3));
  return Array.from({ length: 1 + Math.ceil((layers - 1) / more) }, (_, at) => Math.min(layers, 1 + at * more));
}

function words(blocks: number, layers: number): string {
  if (blocks === layers) return layers === 1 ? 'embeddings, the block, head' : `embeddings, all ${layers} blocks, head`;
  const which = blocks === 1 ? `block ${layers}` : `blocks ${layers - blocks + 1} to ${layers}`;
  return `embeddings, ${which} of ${layers}, head`;
}

/** 0 for what stands on top of the blocks and for the top block, one more for each block below, most for the embeddings. */
function depthOf(name: string, layers: number): number {
  const layer = layerOf(name);
  if (layer !== null) return layers - 1 - layer;
  return isEmbedding(name) ? layers : 0;
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;

function layout({ stages, blocksPerStage }: Options): string {
  if (stages) return `stages of ${stages.map(({ blocks }) => blocks).join(' then ')} blocks`;
  return blocksPerStage === null ? 'four stages' : `${plural(blocksPerStage, 'block')} a stage`;
}

registerMethod({
  type: 'progressive',
  title: 'Progressive unfreezing',
  family: 'base',
  marker: 'stairs',
  colour: 'cat-6',
  learningRate: 5e-4,
  exports: ['merged', 'onnx'],
  summary: 'Blocks train from the top down, stage by stage, with smaller rates below.',
  help: `**What trains.** In the first stage the embeddings, the top block and the head (with whatever stands between blocks and head, such as a pooler or a last norm). Each later stage opens more blocks from the top down, until the whole model trains. Nothing is added. The parameter count is that of the largest stage that ran.

**Stages.** Each stage has an optimizer and a schedule of its own (warm-up and decay run within the stage) and starts from the parameters of the one before. The plan's epochs are shared out equally, or *epochs per stage* sets them; maximum steps, where the plan sets them, are the sum of all stages. Every stage ends with a validation.

**Rates.** A stage's learning rate is that of the stage before times *learning rate decay*; within a stage a block's rate is that of the block above times *layer decay*, and the embeddings' is the lowest.

**When worse.** A stage in which no validation was the best so far did not help. Then the run goes on, stops, or goes *back* to the best parameters before it opens the next blocks. Without a validation split it always goes on. Patience for early stopping is counted anew in each stage. What is kept in the end is the best validation of all stages.

**When to use it.** When full fine-tuning is within reach but forgets or overfits: with few rows the top layers settle before the lower ones may move. It needs as much memory and disk as full fine-tuning once all blocks are open.

Some guides call this scheme P-tuning, which is also the name of a method of prompts (Liu et al. 2021); here that name is the prompts'. Howard & Ruder 2018, *Universal Language Model Fine-tuning for Text Classification*.`,
  options,
  describe: (o) => `${layout(o)}${o.whenWorse === 'continue' ? '' : `, ${o.whenWorse} when worse`}`,
  stages(o, layers) {
    const blocks = opened(o, layers);
    const tooMany = blocks.findIndex((count) => count > layers);
    if (tooMany >= 0)
      throw new EngineError(
        'bad-input',
        `method.stages.${tooMany}.blocks is ${blocks[tooMany]}, but the model has ${plural(layers, 'block')}.`,
        `Use at most ${layers}.`,
        { path: `method.stages.${tooMany}.blocks`, limit: layers },
      );
    return {
      whenWorse: o.whenWorse,
      stages: blocks.map((count, at) => ({
        trains: words(count, layers),
        epochs: o.stages?.[at]?.epochs ?? o.epochsPerStage,
        rate: o.stages?.[at]?.rate ?? o.learningRateDecay ** at,
        // Forward and back to the embeddings through every block, and each open block's own gradients.
        cost: 2 + count / layers,
      })),
    };
  },
  trains(name, o, { stage: at, layers }) {
    const layer = layerOf(name);
    return layer === null || layer >= layers - (opened(o, layers)[at] ?? layers);
  },
  rate: (name, o, { layers }) => o.layerDecay ** depthOf(name, layers),
  hooks: () => ({}),
});
