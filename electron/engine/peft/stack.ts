/**
 * A stack (Pfeiffer et al. 2020, MAD-X, arXiv:2005.00052): finished adapters one on another, each acting on what those below it
 * made, with a new one on top where there is something to train. Of bottleneck adapters as AdapterHub's Stack; LoRAs of one layer
 * all see that layer's input, so their updates add up.
 */
import { z } from 'zod';
import { chooseMethod } from './choose.js';
import { registerMethod } from './method.js';
import type { NamedTensors } from '../types.js';
import { adapterHooksOf, adaptersOption, chained, methodOption, partHooks, partOf, withoutParts } from './parts.js';

const options = z.strictObject({
  type: z.literal('stack'),
  adapters: adaptersOption(1),
  top: methodOption
    .nullable()
    .default(null)
    .describe('An adapter that trains on top of the finished ones; null: only the head trains'),
});
type Options = z.output<typeof options>;

/** Each adapter with its tensors by the names of its own run, the lowest first. */
const layersOf = ({ adapters, top }: Options, trained: NamedTensors = new Map()) => [
  ...adapters.map((method, index) => ({ method, parameters: partOf(trained, index) })),
  ...(top ? [{ method: top, parameters: withoutParts(trained) }] : []),
];

registerMethod({
  type: 'stack',
  title: 'Stack',
  family: 'composition',
  marker: 'house',
  colour: 'cat-20',
  learningRate: 1e-3,
  exports: ['adapterhub', 'merged', 'onnx'],
  summary: 'Finished adapters one on another.',
  help: `**What trains.** The adapters of finished runs are put one on another and stay as they are: each acts on what those below it made. With *top*, a new adapter trains above them; without, only the head does, or nothing with maxSteps 0.

**When to use it.** When one adapter holds what several tasks share (a domain, a language) and another what one task needs. Without training the answer is often poor unless the adapters were trained for it, since each one learned without the others.

**What fits.** Adapters of one base: bottleneck, Compacter, LoRA and its relatives, (IA)³, mixers, in any order. Several LoRAs on one layer all see its input, so their updates add up. Virtual tokens do not stack, and DoRA measures weights that another adapter changes.

Pfeiffer et al. 2020, *MAD-X: An Adapter-Based Framework for Multi-Task Cross-Lingual Transfer*.`,
  options,
  describe: (o) =>
    layersOf(o)
      .map(({ method }) => chooseMethod(method).method.title)
      .join(' + '),
  hubSetup: { block: 'Stack', parts: layersOf },
  trains: () => false,
  rate: (name, o, place) => {
    if (!o.top) return 1;
    const { method, options: own } = chooseMethod(o.top);
    return method.rate?.(name, own, place) ?? 1;
  },
  hooks(o, context) {
    const below = o.adapters.map((spec, index) => partHooks(spec, index, context));
    if (!o.top) return chained(below);
    const top = adapterHooksOf(o.top, context, 'top');
    return { ...chained([...below, top]), ...(top.penalty && { penalty: top.penalty }) };
  },
  watch(o, trained, steps) {
    const nothing = { observed: [], state: new Map(), afterStep: () => undefined };
    if (!o.top) return nothing;
    const { method, options: own } = chooseMethod(o.top);
    return method.watch?.(own, trained, steps) ?? nothing;
  },
  unmergeable(o, context) {
    for (const layer of layersOf(o)) {
      const { method, options: own } = chooseMethod(layer.method);
      // A wider feed-forward layer is no change of one tensor after another.
      if (!method.exports.includes('merged') || method.widens)
        return `${method.title} does not merge into the base's weights.`;
      const reason = method.unmergeable?.(own, context);
      if (reason) return reason;
    }
    return null;
  },
  undo(o) {
    const ways = layersOf(o).map((layer) => {
      const { method, options: own } = chooseMethod(layer.method);
      return method.undo?.(own);
    });
    const other = ways.find((way) => way !== 'update');
    if (typeof other === 'object') return other;
    return ways.every((way) => way === 'update')
      ? 'update'
      : { reason: 'Of several adapters, only those that add to the weights can be taken out together.' };
  },
  merge(name, base, trained, o, context) {
    return layersOf(o, trained).reduce<typeof base | null>((value, layer) => {
      const { method, options: own } = chooseMethod(layer.method);
      return method.merge?.(name, value ?? base, layer.parameters, own, context) ?? value;
    }, null);
  },
});
