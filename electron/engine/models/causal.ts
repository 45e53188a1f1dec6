/** Who sees whom in a decoder: what is added to attention scores. */
import { addDims, subtractDims, type Dim } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { countTokens, lengthOf, virtualLength } from './rows.js';
import type { Reach } from './types.js';

const HIDDEN = -1e9;

/** 1 where x > 0, else 0. */
const positive = (b: Builder, x: Value) => b.g.sign(b.g.relu(x));

/**
 * 0 where a query sees a key and -1e9 or less elsewhere: [batch or 1, 1, asking, 1, seen]. A token sees those before it and itself,
 * of its own example (attention_mask numbers the examples of a row; 0 is padding), the last `window` at most. Virtual tokens and
 * prefixes are part of every example. A text with a cache has no padding.
 */
export function causalBias(b: Builder, reach: Reach, window: number | null): Value {
  const { g } = b;
  const length = lengthOf(b);
  const cached = b.options.cached ?? false;
  const before = addDims(virtualLength(b), b.hooks.prefix?.tokens ?? 0);
  const seen = addDims(addDims('sequence', before), cached ? 'past' : 0);
  const one = g.constant(BigInt64Array.of(1n), []);
  const keys = g.reshape(g.cast(g.cumulativeSum(g.expand(one, [seen]), 0), 'float32'), [1, 1, seen]);
  const ahead = g.sub(keys, queriesOf(b, reach, keys, before, seen));
  let hidden = positive(b, ahead);
  if (window !== null) hidden = g.add(hidden, positive(b, g.sub(g.neg(ahead), g.scalar(window - 1))));
  const bias = g.scale(hidden, HIDDEN);
  const asking = reach === 'last' ? 1 : length;
  if (cached) return g.reshape(bias, [1, 1, asking, 1, seen]);
  return g.reshape(g.add(bias, otherExamples(b, reach, before)), ['batch', 1, asking, 1, seen]);
}

/** Number of each query among all keys, counted from 1: [batch or 1, asking, 1]. */
function queriesOf(b: Builder, reach: Reach, keys: Value, before: Dim, seen: Dim): Value {
  const { g } = b;
  const own = (count: Dim) => g.reshape(g.slice(keys, 2, subtractDims(seen, count), seen), [1, count, 1]);
  if (reach !== 'last') return own(lengthOf(b));
  if (b.options.cached) return own(1);
  return g.reshape(g.add(g.cast(countTokens(b), 'float32'), g.scalar(Number(before))), ['batch', 1, 1]);
}

/** -1e9 for keys of padding and of other examples than the query's: [batch, asking, seen]. */
function otherExamples(b: Builder, reach: Reach, before: Dim): Value {
  const { g } = b;
  const examples = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const last = reach === 'last';
  const own = last ? g.constant(BigInt64Array.of(1n), [1, 1, 1]) : g.reshape(examples, ['batch', 'sequence', 1]);
  const same = g.equal(own, g.reshape(examples, ['batch', 1, 'sequence']));
  const others = g.pad(g.where(same, g.scalar(0), g.scalar(HIDDEN)), 2, before, 0);
  return last ? others : g.pad(others, 1, virtualLength(b), 0);
}
