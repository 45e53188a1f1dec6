/** The cross-entropy over a vocabulary as a loop over chunks of rows, so that the logits of one chunk stand in memory at a time. */
import type { Dim } from '../graph/dims.js';
import type { NodeOf, Value } from '../graph/ir.js';
import type { Lowering } from './lowering.js';
import { lowerTokenLossInBlocks, wordsOfBlock } from './token-loss-blocks.js';

/**
 * With logits l = hWᵀ and p = softmax(l): -log p[y] = max(l) - log(max(p)) - l[y], whose logarithm never sees 0. The slopes need
 * the same p, so they are made at once: by rows w·(pW - W[y]), by the table Σ w·p⊗h, less w·h at the labels' rows.
 */
export function lowerTokenLoss(c: Lowering, node: NodeOf<'tokenLoss'>): void {
  const [rows, table, labels, weights] = node.inputs as readonly [Value, Value, Value, Value];
  const words = wordsOfBlock(table.type.shape[0] as number);
  if (c.target === 'cpu' && words !== null) return lowerTokenLossInBlocks(c, node, words);
  const [byRows, byTable] = [c.reads(node, 2), c.reads(node, 3)];
  // Each round passes over the whole of a table that trains, five times: larger rounds then.
  const chunk = node.attributes.chunk * (byTable ? 3 : 1);
  const h = c.use(rows);
  const w = c.use(table, h);
  const [y, weight] = [c.use(labels), c.use(weights)];
  const width = rows.type.shape[1] as Dim;
  const zero = c.ints([0]);

  const count = c.emit('Shape', [h], { attributes: { start: 0, end: 1 } });
  const chunks = c.emit('Div', [c.emit('Add', [count, c.ints([chunk - 1])]), c.ints([chunk])]);
  const missing = c.emit('Sub', [c.emit('Mul', [chunks, c.ints([chunk])]), count]);
  // The last chunk is filled up with rows of weight 0.
  const filled = (x: string, rank: number) =>
    c.emit('Pad', [
      x,
      c.emit('Concat', [...new Array<string>(rank).fill(zero), missing, ...new Array<string>(rank - 1).fill(zero)], {
        attributes: { axis: 0 },
      }),
    ]);
  const [allRows, allLabels, allWeights] = [filled(h, 2), filled(y, 1), filled(weight, 1)];

  const body = c.body(byTable ? [{ name: 'table', type: table.type }] : [], (at, [sum]) => {
    const start = c.emit('Mul', [c.emit('Reshape', [at, c.ints([1])]), c.ints([chunk])]);
    const end = c.emit('Add', [start, c.ints([chunk])]);
    const part = (x: string) => c.emit('Slice', [x, start, end, zero]);
    const column = (x: string) => c.emit('Unsqueeze', [x, c.ints([1])]);
    const [own, label] = [part(allRows), part(allLabels)];
    const logits = c.emit('Gemm', [own, w], { attributes: { transB: 1 } });
    const p = c.emit('Softmax', [logits], { attributes: { axis: -1 } });
    const top = (x: string) => c.emit('ReduceMax', [x, c.ints([1])], { attributes: { keepdims: 0 } });
    const chosen = c.emit('Reshape', [
      c.emit('GatherElements', [logits, column(label)], { attributes: { axis: 1 } }),
      c.ints([-1]),
    ]);
    const loss = c.emit('Sub', [c.emit('Sub', [top(logits), chosen]), c.emit('Log', [top(p)])]);
    const share = column(part(allWeights));
    const carried: string[] = [];
    const collected = [loss];
    if (byRows) {
      const expected = c.emit('Gemm', [p, w]);
      const slope = c.emit('Sub', [expected, c.emit('Gather', [w, label], { attributes: { axis: 0 } })]);
      collected.push(c.emit('Mul', [slope, share]));
    }
    if (byTable)
      carried.push(
        c.emit('Gemm', [p, c.emit('Mul', [own, share]), sum as string], {
          attributes: { transA: 1, beta: { float: 1 } },
        }),
      );
    return { carried, collected };
  });
  const start = byTable ? [c.emit('Expand', [c.float(0), c.shape(table.type.shape)])] : [];
  const [sum, each, slopes] = c.loop(chunks, start, body, 1 + (byRows ? 1 : 0));

  const own = (x: string, shape: readonly number[], output: string) =>
    c.emit('Slice', [c.emit('Reshape', [x, c.ints(shape)]), zero, count, zero], { outputs: [output] });
  own(each as string, [-1], c.output(node, 1));
  c.emit('ReduceSum', [c.emit('Mul', [c.output(node, 1), weight])], {
    attributes: { keepdims: 0 },
    outputs: [c.output(node)],
  });
  if (byRows) own(slopes as string, [-1, width as number], c.output(node, 2));
  if (byTable) {
    const lessened = c.emit('Neg', [c.emit('Mul', [h, c.emit('Unsqueeze', [weight, c.ints([1])])])]);
    c.emit('ScatterND', [sum as string, c.emit('Unsqueeze', [y, c.ints([1])]), lessened], {
      attributes: { reduction: 'add' },
      outputs: [c.output(node, 3)],
    });
  }
}
