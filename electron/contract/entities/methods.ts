/** Methods as the window draws them, and the map of a model. */
import { z } from 'zod';
import { methodSchema } from '../plan.js';
import { exportFormatSchema } from './results.js';

export const methodInfoSchema = z.object({
  type: z.string(),
  title: z.string(),
  family: z.enum(['base', 'lora', 'adapter', 'prompt', 'hybrid', 'composition']),
  marker: z.enum([
    'diamond',
    'circle',
    'triangle',
    'square',
    'triangle-down',
    'plus',
    'hexagon',
    'hourglass',
    'cross',
    'star',
    'stairs',
    'frame',
    'bowtie',
    'ring',
    'pentagon',
    'triangle-left',
    'triangle-right',
    'trapezoid',
    'house',
    'chevron',
    'bubble',
  ]),
  /** Token name of its colour in electron/charting/tokens.css: "cat-1". */
  colour: z.string(),
  summary: z.string(),
  help: z.string(),
  optionsSchema: z.record(z.string(), z.unknown()),
  defaults: methodSchema,
  /** Suggested learning rate for the method's default. */
  learningRate: z.number(),
  /** It searches for a wording, without a learning rate. */
  searches: z.boolean(),
  exports: z.array(exportFormatSchema),
});
export type MethodInfo = z.infer<typeof methodInfoSchema>;

/** A part of the model's map: embeddings, a layer, the head, or what stands outside them. */
export const mapGroupSchema = z.object({
  kind: z.enum(['embeddings', 'layer', 'head', 'other']),
  name: z.string(),
  modules: z.array(
    z.object({
      path: z.string(),
      label: z.string(),
      linear: z.boolean(),
      tensors: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.number()),
          state: z.enum(['frozen', 'trained', 'added', 'fixed']),
        }),
      ),
    }),
  ),
});
export type MapGroup = z.infer<typeof mapGroupSchema>;
