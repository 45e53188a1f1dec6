/**
 * Symbolic dimensions. A dimension is a number or a polynomial over named sizes in canonical text:
 * "batch", "2*batch*sequence", "10+sequence". Equal dimensions have equal text.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

type Polynomial = Map<string, number>; // monomial ("" for the constant, "batch*sequence") to coefficient

function parse(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]]);
  const polynomial: Polynomial = new Map();
  for (const term of dim.split('+')) {
    let coefficient = 1;
    const symbols: string[] = [];
    for (const factor of term.split('*')) {
      if (/^-?\d+$/.test(factor)) coefficient *= Number(factor);
      else symbols.push(factor);
    }
    accumulate(polynomial, symbols.sort().join('*'), coefficient);
  }
  return polynomial;
}

function accumulate(polynomial: Polynomial, monomial: string, coefficient: number): void {
  const sum = (polynomial.get(monomial) ?? 0) + coefficient;
  if (sum === 0) polynomial.delete(monomial);
  else polynomial.set(monomial, sum);
}

function format(polynomial: Polynomial): Dim {
  const monomials = [...polynomial.keys()].sort();
  if (monomials.length === 0) return 0;
  if (monomials.length === 1 && monomials[0] === '') return polynomial.get('') as number;
  return monomials
    .map((monomial) => {
      const coefficient = polynomial.get(monomial) as number;
      if (monomial === '') return String(coefficient);
      return coefficient === 1 ? monomial : `${coefficient}*${monomial}`;
    })
    .join('+');
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = parse(a);
  for (const [monomial, coefficient] of parse(b)) accumulate(sum, monomial, coefficient);
  return format(sum);
}

export function subtractDims(a: Dim, b: Dim): Dim {
  return addDims(a, multiplyDims(b, -1));
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product: Polynomial = new Map();
  for (const [left, x] of parse(a)) {
    for (const [right, y] of parse(b)) {
      const monomial = [...left.split('*'), ...right.split('*')].filter(Boolean).sort().join('*');
      accumulate(product, monomial, x * y);
    }
  }
  return format(product);
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): Dim {
  return shape.reduce<Dim>(multiplyDims, 1);
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The terms of a dimension, for whoever computes it: coefficient and the sizes that are multiplied. */
export function termsOf(dim: Dim): { coefficient: number; symbols: string[] }[] {
  return [...parse(dim)].map(([monomial, coefficient]) => ({
    coefficient,
    symbols: monomial === '' ? [] : monomial.split('*'),
  }));
}

/** Value of a dimension where the sizes are known. */
export function evaluateDim(dim: Dim, sizes: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const { coefficient, symbols } of termsOf(dim)) {
    sum += symbols.reduce((product, symbol) => product * (sizes[symbol] ?? Number.NaN), coefficient);
  }
  return sum;
}

/** The shape that NumPy-style broadcasting gives, or null where the shapes do not fit. */
export function broadcastShapes(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) result.push(x);
    else if (x === 1) result.push(y);
    else return null;
  }
  return result;
}
