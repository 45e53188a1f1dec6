/**
 * The cross-entropy over a vocabulary, block by block of the table, as Dao et al. 2022 ("FlashAttention") go along the keys: rows ask,
 * words are keys and values at once. A block of the table and its logits stay in the processor's cache while all rows pass over them.
 */
import type { Dim } from '../graph/dims.js';
import type { NodeOf, TensorType, Value } from '../graph/ir.js';
import type { Lowering } from './lowering.js';

/** Words of a block: few enough for the cache, many enough for the products. */
const [LEAST, BEST, MOST] = [256, 1024, 2048] as const;
/** Probabilities of this many chunks of rows stand whole until the table's slope is made of them (128 MB); of more they are made again. */
const CHUNKS = 8;

const float = (...shape: Dim[]): TensorType => ({ dtype: 'float32', shape });

/** Words of a block, of which a vocabulary is a whole number; null where none fits. */
export function wordsOfBlock(vocabulary: number): number | null {
  if (vocabulary <= MOST) return vocabulary;
  const fitting = Array.from({ length: MOST - LEAST + 1 }, (_, i) => LEAST + i).filter(
    (size) => vocabulary % size === 0,
  );
  const distance = (size: number) => Math.abs(Math.log(size / BEST));
  return fitting.sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

/**
 * With the logits l of a row: each block gives its own log Σ eˡ and Σ p·word, which are joined to those of the blocks before. Then
 * -log p[y] = log Σ eˡ - l[y]; the slope by rows is w·(Σ p·word - word[y]), by the table Σ w·p⊗h, less w·h at the labels' rows.
 */
export function lowerTokenLossInBlocks(c: Lowering, node: NodeOf<'tokenLoss'>, words: number): void {
  const [rows, table, labels, weights] = node.inputs as readonly [Value, Value, Value, Value];
  const [byRows, byTable] = [c.reads(node, 2), c.reads(node, 3)];
  const [h, w, y] = [c.use(rows), c.use(table), c.use(labels)];
  const [n, width] = rows.type.shape as readonly [Dim, number];
  const blocks = (table.type.shape[0] as number) / words;
  const column = (x: string) => c.emit('Unsqueeze', [x, c.ints([1])]);
  const weight = column(c.use(weights));
  const count = c.emit('Shape', [h], { attributes: { start: 0, end: 1 } });
  // A shape that is known at run time only: the runtime would make a second table of a frozen one otherwise.
  const shape = c.emit('Add', [c.ints([blocks, words, width]), c.emit('Sub', [count, count])]);
  const block = { name: c.emit('Reshape', [w, shape]), slice: float(words, width) };
  const filled = (value: number, columns: number) =>
    c.emit('Expand', [c.float(value), c.emit('Concat', [count, c.ints([columns])], { attributes: { axis: 0 } })]);
  const logitsOf = (slice: string) => c.emit('Gemm', [h, slice], { attributes: { transB: 1 } });
  const top = (x: string) => c.emit('ReduceMax', [x, c.ints([1])]);
  const times = (x: string, logarithm: string) => c.emit('Mul', [x, c.emit('Exp', [logarithm])]);

  /** log Σ eˡ and, where rows have a slope, Σ p·word; with `kept`, each block's p and log Σ eˡ behind them. */
  const forward = (kept: boolean) =>
    c.scan(
      [
        { start: filled(-1e30, 1), type: float(n, 1) },
        ...(byRows ? [{ start: filled(0, width), type: float(n, width) }] : []),
      ],
      [block],
      ([before, mean], [slice]) => {
        const logits = logitsOf(slice as string);
        const p = c.emit('Softmax', [logits], { attributes: { axis: -1 } });
        // The logarithm never sees 0: the largest p is 1 / words at least.
        const own = c.emit('Sub', [top(logits), c.emit('Log', [top(p)])]);
        const larger = c.emit('Max', [before as string, own]);
        const above = (x: string) => c.emit('Exp', [c.emit('Sub', [x, larger])]);
        const sum = c.emit('Add', [larger, c.emit('Log', [c.emit('Add', [above(before as string), above(own)])])]);
        const share = (x: string, of: string) => times(x, c.emit('Sub', [of, sum]));
        const joined =
          mean === undefined
            ? []
            : [c.emit('Add', [share(mean, before as string), share(c.emit('Gemm', [p, slice as string]), own)])];
        return [
          [sum, float(n, 1)],
          ...joined.map((name) => [name, float(n, width)] as const),
          ...(kept
            ? ([
                [p, float(n, words)],
                [own, float(n, 1)],
              ] as const)
            : []),
        ];
      },
    );
  /** The table's slope but for the labels, by a block's p·factor. */
  const backward = (
    parts: Parameters<typeof c.scan>[1],
    of: (slices: readonly string[]) => readonly [string, string],
  ) => {
    const [slopes] = c.scan([], parts, (_, slices) => {
      const [p, factor] = of(slices);
      const slope = c.emit('Gemm', [p, c.emit('Mul', [h, factor])], { attributes: { transA: 1 } });
      return [[slope, float(words, width)]];
    });
    return slopes as string;
  };
  const whole = (): string[] => {
    const [sum, mean, p, own] = forward(true) as [string, string, string, string];
    const parts = [
      { name: p, slice: float(n, words) },
      { name: own, slice: float(n, 1) },
    ];
    const slopes = backward(parts, ([p, own]) => [p as string, times(weight, c.emit('Sub', [own as string, sum]))]);
    return [sum, mean, slopes];
  };
  const again = (): string[] => {
    const [sum, mean] = forward(false) as [string, string];
    const p = (slice: string) => c.emit('Exp', [c.emit('Sub', [logitsOf(slice), sum])]);
    return [sum, mean, backward([block], ([slice]) => [p(slice as string), weight])];
  };
  const few = () => c.emit('LessOrEqual', [count, c.ints([CHUNKS * node.attributes.chunk])]);
  const [sum, mean, slopes] = byTable ? c.choose(few(), whole, again) : forward(false);

  const target = c.emit('Gather', [w, y], { attributes: { axis: 0 } });
  const chosen = c.emit('ReduceSum', [c.emit('Mul', [h, target]), c.ints([1])]);
  const each = c.emit('Sub', [sum as string, chosen]);
  c.emit('Squeeze', [each, c.ints([1])], { outputs: [c.output(node, 1)] });
  c.emit('ReduceSum', [c.emit('Mul', [each, weight])], { attributes: { keepdims: 0 }, outputs: [c.output(node)] });
  if (byRows) c.emit('Mul', [c.emit('Sub', [mean as string, target]), weight], { outputs: [c.output(node, 2)] });
  if (byTable) {
    const slope = c.emit('Reshape', [slopes as string, c.shape(table.type.shape)]);
    const lessened = c.emit('Neg', [c.emit('Mul', [h, weight])]);
    c.emit('ScatterND', [slope, column(y), lessened], {
      attributes: { reduction: 'add' },
      outputs: [c.output(node, 3)],
    });
  }
}
