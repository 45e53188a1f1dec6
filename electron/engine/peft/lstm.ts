/** A bidirectional LSTM over a fixed number of tokens, unrolled; names, formulas and start as torch.nn.LSTM (Hochreiter & Schmidhuber 1997). */
import type { Value } from '../graph/ir.js';
import type { Builder } from '../models/builder.js';

export interface LstmOptions {
  readonly hidden: number;
  readonly layers: number;
  /** Between the layers. */
  readonly dropout: number;
}

/** x [tokens, width] to the hidden states of both directions [tokens, 2·hidden]. */
export function bidirectionalLstm(b: Builder, module: string, x: Value, options: LstmOptions): Value {
  let states = x;
  for (let layer = 0; layer < options.layers; layer++)
    states = oneLayer(
      b,
      `${module}.`,
      layer,
      layer === 0 ? states : b.dropout(states, options.dropout),
      options.hidden,
    );
  return states;
}

/**
 * c' = σ(f)c + σ(i)tanh(g), h' = σ(o)tanh(c') with [i f g o] = W_ih x + b_ih + W_hh h + b_hh; h and c begin at 0. Both directions
 * run side by side, [2, 1, …] a step, the second over the tokens from the last to the first.
 */
function oneLayer(b: Builder, module: string, layer: number, x: Value, hidden: number): Value {
  const { g } = b;
  const [tokens, width] = x.type.shape as readonly [number, number];
  const start = { uniform: 1 / Math.sqrt(hidden) };
  const parameter = (part: string, shape: readonly number[], reverse: boolean) =>
    b.added(`${module}${part}_l${layer}${reverse ? '_reverse' : ''}`, shape, start);
  const both = (of: (reverse: boolean) => Value) =>
    g.concat(
      [false, true].map((reverse) => of(reverse)).map((value) => g.reshape(value, [1, ...value.type.shape])),
      0,
    );
  const order = g.constant(
    BigInt64Array.from({ length: tokens }, (_, i) => BigInt(tokens - 1 - i)),
    [tokens],
  );
  const turned = (rows: Value) => g.gather(rows, order, true);

  const projected = both((reverse) => {
    const rows = g.matmul(x, parameter('weight_ih', [4 * hidden, width], reverse), { transB: true });
    const bias = g.add(parameter('bias_ih', [4 * hidden], reverse), parameter('bias_hh', [4 * hidden], reverse));
    return g.add(reverse ? turned(rows) : rows, bias);
  });
  const recurrent = both((reverse) => parameter('weight_hh', [4 * hidden, hidden], reverse));
  const states: Value[] = [];
  let h = g.constant(new Float32Array(2 * hidden), [2, 1, hidden]);
  let c = h;
  for (let step = 0; step < tokens; step++) {
    const gates = g.add(g.slice(projected, 1, step, step + 1), g.matmul(h, recurrent, { transB: true }));
    const gate = (i: number) => g.slice(gates, 2, i * hidden, (i + 1) * hidden);
    c = g.add(g.mul(g.sigmoid(gate(1)), c), g.mul(g.sigmoid(gate(0)), g.tanh(gate(2))));
    h = g.mul(g.sigmoid(gate(3)), g.tanh(c));
    states.push(h);
  }
  const all = g.concat(states, 1);
  const direction = (at: number) => g.reshape(g.slice(all, 0, at, at + 1), [tokens, hidden]);
  return g.concat([direction(0), turned(direction(1))], 1);
}
