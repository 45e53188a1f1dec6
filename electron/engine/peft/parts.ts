/** Finished adapters inside another method: their tensors stand by the names they had with a mark behind, and do not train. */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Builder } from '../models/builder.js';
import type { BlockSite, Hooks } from '../models/types.js';
import type { MethodSpec, NamedTensors } from '../types.js';
import { chooseMethod } from './choose.js';
import type { HookContext } from './method.js';

/** Behind the names of a part's tensors; parts are counted from 0. */
export const partMark = (index: number): string => `@${index + 1}`;

/** A part's tensors, its head apart, by the composition's names. */
export const markedParts = (tensors: NamedTensors, index: number): NamedTensors =>
  new Map([...tensors].map(([name, tensor]) => [name + partMark(index), tensor]));

/** The tensors of one part by the names they had. */
export function partOf(tensors: NamedTensors, index: number): NamedTensors {
  const mark = partMark(index);
  return new Map(
    [...tensors].flatMap(([name, tensor]) => (name.endsWith(mark) ? [[name.slice(0, -mark.length), tensor]] : [])),
  );
}

/** What belongs to no part. */
export const withoutParts = (tensors: NamedTensors): NamedTensors =>
  new Map([...tensors].filter(([name]) => !/@\d+$/.test(name)));

const method = z.looseObject({ type: z.string().min(1) });

/** Options of finished adapters, by the methods that trained them. */
export const adaptersOption = (least: number) =>
  z
    .array(method, 'takes a list of finished runs of adapters')
    .min(least, `takes at least ${least}`)
    .max(16)
    .describe('Finished runs whose adapters are taken as they are: their numbers, or folders of exported adapters');

export const methodOption = method;

/** Throws EngineError 'bad-input' for a method that cannot be part of a composition. */
function requireAdapter(spec: MethodSpec, hooks: Hooks, title: string, at: string): void {
  const refuse = (reason: string) =>
    new EngineError('bad-input', `method.${at}: ${title} ${reason}.`, 'Choose runs of other methods.', {
      path: `method.${at}`,
    });
  if (hooks.prompt || hooks.prefix)
    throw refuse('puts virtual tokens before the text, which do not work one on another');
  if (hooks.wholeTexts) throw refuse('looks at whole texts');
  if (Object.keys(hooks).length === 0) throw refuse('changes the base itself and adds no adapter');
  if (spec['useDora'] === true)
    throw refuse('with DoRA measures the lengths of the base’s own weights, which another adapter changes');
}

/** The hooks of an adapter, checked. `at` names the option that holds it. */
export function adapterHooksOf(spec: MethodSpec, context: HookContext, at: string): Hooks {
  const { method: own, options } = chooseMethod(spec);
  const hooks = own.hooks(options, context);
  requireAdapter(options as MethodSpec, hooks, own.title, at);
  return hooks;
}

/** The hooks of a finished part. */
export function partHooks(spec: MethodSpec, index: number, context: HookContext): Hooks {
  const hooks = adapterHooksOf(spec, context, `adapters.${index}`);
  const mark = partMark(index);
  const { input, weight, linear, block, layer, adapter } = hooks;
  return {
    ...(input && { input: (b, ...rest) => b.within(mark, () => input(b, ...rest)) }),
    ...(weight && { weight: (b, ...rest) => b.within(mark, () => weight(b, ...rest)) }),
    ...(linear && { linear: (b, ...rest) => b.within(mark, () => linear(b, ...rest)) }),
    ...(block && { block: (b, ...rest) => b.within(mark, () => block(b, ...rest)) }),
    ...(layer && { layer: (b, ...rest) => b.within(mark, () => layer(b, ...rest)) }),
    ...(adapter && {
      adapter: {
        placement: adapter.placement,
        up: (b: Builder, site: BlockSite, x) => b.within(mark, () => adapter.up(b, site, x)),
      },
    }),
  };
}

/** One on another: each acts on what those before it made. */
export function chained(all: readonly Hooks[]): Hooks {
  return {
    input: (b, site, x) => all.reduce((value, hooks) => hooks.input?.(b, site, value) ?? value, x),
    weight: (b, site, own) =>
      all.reduce<ReturnType<NonNullable<Hooks['weight']>>>((value, hooks) => {
        const known = value;
        return hooks.weight?.(b, site, known ? () => known : own) ?? value;
      }, null),
    linear: (b, site, x, y) => all.reduce((value, hooks) => hooks.linear?.(b, site, x, value) ?? value, y),
    block: (b, site, output, residual, normalize) =>
      all.reduce((value, hooks) => hooks.block?.(b, site, value, residual, normalize) ?? value, output),
    layer: (b, site, output) => all.reduce((value, hooks) => hooks.layer?.(b, site, value) ?? value, output),
  };
}
