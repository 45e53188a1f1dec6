/** IEEE 754 half precision and bfloat16, to and from float32. */

let halfValues: Float32Array | null = null;

/** All 65,536 half-precision values by their bits; built once (256 KB). */
function halfTable(): Float32Array {
  if (halfValues !== null) return halfValues;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < table.length; bits += 1) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction === 0 ? sign * Infinity : NaN;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  halfValues = table;
  return table;
}

/** Half-precision bits as float32 values (exact). */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  const table = halfTable();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) values[i] = table[bits[i]!]!;
  return values;
}

/** bfloat16 bits as float32 values (exact): they are the upper half of a float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Float32 values as half-precision bits, rounded to nearest, ties to even; what is too large becomes infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i += 1) bits[i] = halfBits(words[i]!);
  return bits;
}

function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 2^16 and above
  if (magnitude >= 0x3880_0000) {
    // Normal half: rebias the exponent; the carry of rounding may run into it, up to infinity.
    const odd = (magnitude >>> 13) & 1;
    return sign | ((magnitude - 0x3800_0000 + 0xfff + odd) >>> 13);
  }
  if (magnitude < 0x3300_0000) return sign; // below half of the smallest subnormal
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7f_ffff) | 0x80_0000;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}
