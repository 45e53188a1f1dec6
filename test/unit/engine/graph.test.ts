import { describe, expect, it } from 'vitest';
import { differentiate } from '../../../electron/engine/autodiff/reverse.js';
import { EngineError } from '../../../electron/engine/errors.js';
import { Graph } from '../../../electron/engine/graph/graph.js';
import { printGraph, verifyGraph } from '../../../electron/engine/graph/verify.js';

function layer() {
  const g = new Graph();
  const x = g.input('x', 'float32', ['batch', 3]);
  const frozen = g.parameter('frozen', [4, 3], false);
  const weight = g.parameter('weight', [2, 4], true);
  const bias = g.parameter('bias', [2], true);
  const hidden = g.relu(g.matmul(x, frozen, { transB: true }));
  const loss = g.total(g.tanh(g.add(g.matmul(hidden, weight, { transB: true }), bias)));
  return { g, weight, bias, frozen, loss };
}

describe('Graph', () => {
  it('prints a forward pass', () => {
    const { g, loss } = layer();
    g.output('loss', loss);
    expect(printGraph(g)).toMatchInlineSnapshot(`
      "%0 = input name=x : float32[batch, 3]
      %1 = parameter name=frozen shape=[4, 3] : float32[4, 3]
      %2 = parameter name=weight shape=[2, 4] trainable : float32[2, 4]
      %3 = parameter name=bias shape=[2] trainable : float32[2]
      %4 = matmul transB %0 %1 : float32[batch, 4]
      %5 = relu %4 : float32[batch, 4]
      %6 = matmul transB %5 %2 : float32[batch, 2]
      %7 = add %6 %3 : float32[batch, 2]
      %8 = tanh %7 : float32[batch, 2]
      %9 = reduceSum axes=[0, 1] %8 : float32[]
      return loss = %9"
    `);
  });

  it('gives a weight that is used step after step one product of all its steps', () => {
    const g = new Graph();
    const weight = g.parameter('weight', [3, 3], true);
    let h = g.input('h', 'float32', [1, 3]);
    for (let step = 0; step < 4; step++) h = g.tanh(g.matmul(h, weight, { transB: true }));
    const before = g.nodes.length;
    const [gradient] = differentiate(g, g.total(h), [weight]);
    g.output('weight', gradient as never);
    verifyGraph(g);
    const added = g.live().filter((node) => node.id >= before);
    // Three products carry the gradient down, one gathers all four steps.
    expect(added.filter(({ op }) => op === 'matmul')).toHaveLength(4);
    expect(added.filter(({ op }) => op === 'concat').map(({ outputs }) => outputs[0]?.type.shape)).toEqual([
      [4, 3],
      [4, 3],
    ]);
  });

  it('differentiates only what lies above the lowest trainable parameter', () => {
    const { g, loss, weight, bias } = layer();
    const before = g.nodes.length;
    const [dWeight, dBias] = differentiate(g, loss, [weight, bias]);
    g.output('weight', dWeight as never);
    g.output('bias', dBias as never);
    verifyGraph(g);
    expect(
      g
        .live()
        .slice()
        .filter((node) => node.id >= before)
        .map((node) => node.op),
    ).toMatchInlineSnapshot(`
      [
        "constant",
        "reshape",
        "expand",
        "mul",
        "sub",
        "mul",
        "reduceSum",
        "matmul",
      ]
    `);
    // Nothing flows into the frozen product or its relu.
    expect(g.nodes.slice(before).some((node) => node.op === 'sign')).toBe(false);
    expect(printGraph(g)).toMatchInlineSnapshot(`
      "%0 = input name=x : float32[batch, 3]
      %1 = parameter name=frozen shape=[4, 3] : float32[4, 3]
      %2 = parameter name=weight shape=[2, 4] trainable : float32[2, 4]
      %3 = parameter name=bias shape=[2] trainable : float32[2]
      %4 = matmul transB %0 %1 : float32[batch, 4]
      %5 = relu %4 : float32[batch, 4]
      %6 = matmul transB %5 %2 : float32[batch, 2]
      %7 = add %6 %3 : float32[batch, 2]
      %8 = tanh %7 : float32[batch, 2]
      %9 = constant 1 : float32[]
      %10 = reshape shape=[1, 1] %9 : float32[1, 1]
      %11 = expand shape=[batch, 2] %10 : float32[batch, 2]
      %12 = mul %8 %8 : float32[batch, 2]
      %13 = sub %9 %12 : float32[batch, 2]
      %14 = mul %11 %13 : float32[batch, 2]
      %15 = reduceSum axes=[0] %14 : float32[2]
      %16 = matmul transA %14 %5 : float32[2, 4]
      return weight = %16
      return bias = %15"
    `);
  });

  it('shares equal nodes', () => {
    const g = new Graph();
    const x = g.input('x', 'float32', [2]);
    expect(g.exp(x)).toBe(g.exp(x));
    expect(g.scalar(0.5)).toBe(g.scalar(0.5));
  });

  it.each([
    [
      'matmul',
      (g: Graph) => g.matmul(g.input('a', 'float32', ['batch', 3]), g.input('b', 'float32', [4, 2])),
      'matmul: inner dims 3 and 4 differ',
    ],
    [
      'add',
      (g: Graph) => g.add(g.input('a', 'float32', ['batch']), g.input('b', 'float32', ['sequence'])),
      'add: shapes do not broadcast',
    ],
    [
      'reshape',
      (g: Graph) => g.reshape(g.input('a', 'float32', ['batch', 4]), ['batch', 5]),
      'reshape: 4*batch elements do not fill [batch, 5]',
    ],
    [
      'layerNorm',
      (g: Graph) =>
        g.layerNorm(g.input('a', 'float32', [2, 4]), g.input('s', 'float32', [3]), g.input('b', 'float32', [4]), 1e-5),
      'layerNorm: needs scale and bias of the last axis',
    ],
    ['dtype', (g: Graph) => g.add(g.input('a', 'float32', [2]), g.input('b', 'int64', [2])), 'add: needs equal dtypes'],
  ])('names the op and the dims of a wrong %s', (_, build, message) => {
    const attempt = () => build(new Graph());
    expect(attempt).toThrow(EngineError);
    expect(attempt).toThrow(message);
  });

  it('finds a value that is used before it is made', () => {
    const { g } = layer();
    g.nodes.reverse();
    expect(() => verifyGraph(g)).toThrow('before it is made');
  });

  it('refuses a loss that is no scalar and a parameter that it does not depend on', () => {
    const { g, weight, loss } = layer();
    expect(() => differentiate(g, weight, [weight])).toThrow('only a scalar');
    expect(() => differentiate(g, loss, [g.parameter('idle', [1], true)])).toThrow('does not depend on idle');
  });
});
