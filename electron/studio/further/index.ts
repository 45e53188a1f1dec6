/** Taking it further: a plan as a project for transformers, peft and accelerate, and its result taken back. */
import type { Handlers } from '../../contract/calls.js';
import { StudioError } from '../../contract/errors.js';
import { EngineError } from '../../engine/index.js';
import type { Context } from '../context.js';
import { takeBack } from './back.js';
import { whatGoes } from './check.js';
import { writeFurther } from './write.js';

export function furtherCalls(context: Context): Pick<Handlers, 'further.check' | 'further.write' | 'further.back'> {
  return {
    'further.check': ({ projectId, from }) =>
      whatGoes(context, projectId, from).then(
        () => ({ reason: null }),
        (error: unknown) => {
          if (!(error instanceof StudioError || error instanceof EngineError)) throw error;
          return { reason: error.message };
        },
      ),
    'further.write': async ({ projectId, from, folder, model }) => {
      const going = await whatGoes(context, projectId, from);
      return context.jobs.start('take-further', 'Write a project for peft', (handle) =>
        writeFurther(context, going, folder, model, handle),
      );
    },
    'further.back': async ({ projectId, folder }) =>
      context.jobs.start('take-back', 'Take a result back', (handle) => takeBack(context, projectId, folder, handle)),
  };
}
