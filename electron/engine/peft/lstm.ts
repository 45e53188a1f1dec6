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
  for (let layer = 0; layer < options.layers; layer++) {
    const input = layer === 0 ? states : b.dropout(states, options.dropout);
    states = b.g.concat(
      ['', '_reverse'].map((direction) =>
        oneDirection(b, (part) => `${module}.${part}_l${layer}${direction}`, input, options.hidden, direction !== ''),
      ),
      1,
    );
  }
  return states;
}

/** c' = σ(f)c + σ(i)tanh(g), h' = σ(o)tanh(c') with [i f g o] = W_ih x + b_ih + W_hh h + b_hh; h and c begin at 0. */
function oneDirection(b: Builder, name: (part: string) => string, x: Value, hidden: number, reverse: boolean): Value {
  const { g } = b;
  const [tokens, width] = x.type.shape as readonly [number, number];
  const start = { uniform: 1 / Math.sqrt(hidden) };
  const bias = (part: string) => b.added(name(part), [4 * hidden], start);
  const recurrent = b.added(name('weight_hh'), [4 * hidden, hidden], start);
  const projected = g.add(
    g.matmul(x, b.added(name('weight_ih'), [4 * hidden, width], start), { transB: true }),
    g.add(bias('bias_ih'), bias('bias_hh')),
  );
  const states: Value[] = [];
  let h = g.constant(new Float32Array(hidden), [1, hidden]);
  let c = h;
  for (let step = 0; step < tokens; step++) {
    const at = reverse ? tokens - 1 - step : step;
    const gates = g.add(g.slice(projected, 0, at, at + 1), g.matmul(h, recurrent, { transB: true }));
    const gate = (i: number) => g.slice(gates, 1, i * hidden, (i + 1) * hidden);
    c = g.add(g.mul(g.sigmoid(gate(1)), c), g.mul(g.sigmoid(gate(0)), g.tanh(gate(2))));
    h = g.mul(g.sigmoid(gate(3)), g.tanh(c));
    states[at] = h;
  }
  return g.concat(states, 0);
}
