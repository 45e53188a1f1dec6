/** Numbers, sizes and times as the screens write them: thousands separated, U+2212 for minus, no more digits than asked. */
import { localDate, localNumber, t } from '../language/index.js';

const MINUS = '\u2212';
const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '\u207b',
  0: '\u2070',
  1: '\u00b9',
  2: '\u00b2',
  3: '\u00b3',
  4: '\u2074',
  5: '\u2075',
  6: '\u2076',
  7: '\u2077',
  8: '\u2078',
  9: '\u2079',
};

/** Stands for a value that was not measured. */
export const NO_VALUE = '\u2013';

/** A number with `digits` decimals, thousands separated; a value that rounds to zero carries no sign. */
export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return NO_VALUE;
  const text = localNumber(Math.abs(value), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** A number with its sign always shown, zero excepted: "+0.3", "−1.2". */
export function signed(value: number, digits = 1): string {
  const text = number(value, digits);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A share of 0 to 1 in percent, without the unit: 0.918 gives "91.8". */
export const percent = (share: number, digits = 1): string => number(share * 100, digits);

/** Trained share of all weights in percent: three significant places below 0.1 %, "100" only when all train. */
export function trainedShare(trainable: number, total: number): string {
  if (trainable <= 0 || total <= 0) return '0';
  if (trainable >= total) return '100';
  const value = (trainable / total) * 100;
  if (value >= 10) return number(Math.min(value, 99.9), 1);
  if (value >= 0.1) return number(value, 2);
  return number(value, Math.min(6, 1 - Math.floor(Math.log10(value))));
}

/** Large counts shortened: 22,713,216 gives "22.7 M". */
export function shortCount(value: number): string {
  if (value >= 1e9) return `${number(value / 1e9, value >= 1e10 ? 0 : 1)} G`;
  if (value >= 1e6) return `${number(value / 1e6, value >= 1e8 ? 0 : 1)} M`;
  if (value >= 1e4) return `${number(value / 1e3, value >= 1e5 ? 0 : 1)} k`;
  return number(value);
}

/** "3 runs", "1 run". */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Bytes in decimal units, three significant places: "7.94 MB", "412 MB". */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${number(size, digits)} ${units[unit] ?? 'B'}`;
}

/** A length of time: "0.4 s", "38 s", "9 min 28 s", "2 h 05 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NO_VALUE;
  if (seconds < 9.95) return `${number(seconds, 1)} s`;
  if (seconds < 59.5) return `${number(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(seconds / 60);
  return `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** An estimated time is a range: "5 to 7 min", "20 to 30 s", "about 1 s". */
export function durationRange(low: number, high: number): string {
  const [divisor, unit] = high < 90 ? [1, 's'] : high < 5400 ? [60, 'min'] : [3600, 'h'];
  const digits = unit === 'h' ? 1 : 0;
  const from = number(low / divisor, digits);
  const to = number(high / divisor, digits);
  if (unit === 's' && high < 1) return t('less than 1 s');
  return from === to ? t('about {to} {unit}', { to, unit }) : t('{from} to {to} {unit}', { from, to, unit });
}

/** Time left, known to about a fifth, as a range. */
export const timeLeft = (seconds: number): string =>
  seconds < 5 ? t('a few seconds') : durationRange(seconds * 0.9, seconds * 1.15);

/** "2.0 × 10⁻⁴" below 0.01 and from a million on, plain otherwise. */
export function scientific(value: number, digits = 1): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 0.01 && size < 1e6) return number(value, size < 1 ? Math.max(digits + 1, 2) : digits);
  const [mantissa = '', exponent = ''] = value.toExponential(digits).split('e');
  const power = [...String(Number(exponent))].map((sign) => SUPERSCRIPTS[sign] ?? sign).join('');
  return `${number(Number(mantissa), digits)} \u00d7 10${power}`;
}

/** "91.1 to 92.5". */
export const interval = (low: number, high: number, digits = 1): string =>
  t('{low} to {high}', { low: number(low, digits), high: number(high, digits) });

/**
 * Ends of an interval of differences, signed and rounded outwards: the written interval is never narrower than the measured one,
 * so that it agrees with a verdict in words. "−16.6", "−8.3".
 */
export function outward(low: number, high: number, digits = 1): readonly [string, string] {
  const unit = 10 ** digits;
  // A thousandth of the last place is the noise of the arithmetic, not of the measurement.
  return [signed(Math.floor(low * unit + 1e-3) / unit, digits), signed(Math.ceil(high * unit - 1e-3) / unit, digits)];
}

const two = (value: number) => String(value).padStart(2, '0');

/** Time of day with seconds, local: "12:31:39". */
export function clock(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime())
    ? NO_VALUE
    : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** When something was: the time today, the weekday within six days, else the date. */
export function when(iso: string, now = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return NO_VALUE;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return time;
  const days = (now.getTime() - at.getTime()) / 86_400_000;
  if (days >= 0 && days < 6) return `${localDate(at, { weekday: 'short' })} ${time}`;
  return localDate(at, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** A number of any size in few signs: 3.75, 0.0012, 12,000. */
export const shortNumber = (value: number): string =>
  localNumber(Number(value.toPrecision(4)), { maximumSignificantDigits: 4 }).replace('-', MINUS);

/** A number as it is typed: every digit, no separators of thousands: 0.0003. */
export const plain = (value: number): string => String(value).replace('.', localNumber(0.5).charAt(1));
