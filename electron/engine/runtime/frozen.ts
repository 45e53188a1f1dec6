/** Frozen weights of a base as all its generators hold them: once. */
import type { OpenedModel } from '../models/folder.js';
import type { Feeds, Runtime } from './session.js';

const held = new WeakMap<OpenedModel, Map<string, Promise<Feeds[string]>>>();

/**
 * Values of the base's weights to be fed. They are read, and widened from half precision, when they are first asked for, and kept
 * as long as the opened model is. (As initializers every session would have a copy of its own, in the order that its kernels like.)
 */
export async function frozenWeights(ort: Runtime, model: OpenedModel, names: readonly string[]): Promise<Feeds> {
  const known = held.get(model) ?? new Map<string, Promise<Feeds[string]>>();
  held.set(model, known);
  const feeds: Feeds = {};
  for (const name of names) {
    const value =
      known.get(name) ?? model.read(name).then(({ data, shape }) => new ort.Tensor('float32', data, [...shape]));
    known.set(name, value);
    value.catch(() => known.delete(name));
    feeds[name] = await value;
  }
  return feeds;
}
