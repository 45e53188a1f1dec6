/** A comparison as text and as a file. */
import type { Comparison, ComparisonRow } from '../../../electron/contract/index.js';
import type { ChartTable } from '../../charts/index.js';
import { bytes, interval, number, outward, percent, signed, trainedShare } from '../../state/format.js';

export const measureName = (measure: Comparison['measure']): string =>
  measure === 'macroF1' ? 'macro F1' : 'accuracy';

/** Decimals that a zone of equivalence asks for: 1 point needs one, 0.25 needs two. */
export const zoneDigits = (zone: number): number => (Number.isInteger(zone * 10) ? 1 : 2);

const verdictTitles: Readonly<Record<string, string>> = {
  within: 'Within',
  better: 'Better',
  worse: 'Worse',
  undecided: 'Cannot tell yet',
  'no-baseline': 'No baseline',
  baseline: 'Baseline',
};

/** Title of a group of sentences: "Within 1 point of full fine-tuning". */
export function verdictTitle(kind: string, zone: number): string {
  if (kind === 'within')
    return `Within ${number(zone, Number.isInteger(zone) ? 0 : zoneDigits(zone))} ${zone === 1 ? 'point' : 'points'} of full fine-tuning`;
  return verdictTitles[kind] ?? 'Note';
}

/** The verdict in a cell of the table: "Within 1 point", "Worse". */
export const verdictCell = (row: ComparisonRow, zone: number): string =>
  row.verdict.kind === 'within'
    ? verdictTitle('within', zone).replace(' of full fine-tuning', '')
    : (verdictTitles[row.verdict.kind] ?? row.verdict.text);

type Measured = ComparisonRow['accuracy'];
/** "91.6 (91.0 to 92.2)" from shares of 0 to 1. */
const shareWithInterval = (m: Measured): string =>
  percent(m.mean) + (m.interval ? ` (${interval(m.interval.low * 100, m.interval.high * 100)})` : '');

/** Half the width of an interval that is symmetric about its mean, null without one. */
export const halfWidth = (m: Measured): number | null => (m.interval ? (m.interval.high - m.interval.low) / 2 : null);

/** Verdicts, table and how it was measured, for a mail or a note. */
export function comparisonText(c: Comparison): string {
  const lines = [
    `${c.model} on ${c.dataset}: ${number(c.testRows)} test rows, ${measureName(c.measure)}, zone of equivalence \u00b1 ${c.zone} points`,
    '',
    ...c.sentences.map((s) => s.text),
    '',
  ];
  for (const row of c.rows) {
    const difference = row.difference
      ? `, difference ${signed(row.difference.mean)}${row.difference.interval ? ` (${outward(row.difference.interval.low, row.difference.interval.high).join(' to ')})` : ''} points`
      : '';
    lines.push(
      `${row.methodName}, ${row.setting}: ${measureName(c.measure)} ${shareWithInterval(row[c.measure])} %${difference}; trains ${number(row.trainableParameters)} (${trainedShare(row.share, 1)} %); ${number(row.secondsPerStep.mean * 1000)} ms a step; peak ${bytes(row.peakMemoryBytes)}; ${row.seeds.length} ${row.seeds.length === 1 ? 'seed' : 'seeds'}. ${row.verdict.text}`,
    );
  }
  return [...lines, '', c.method, ...c.notes].join('\n');
}

/** Every number of the comparison, unrounded, for a spreadsheet. */
export function comparisonTable(c: Comparison): ChartTable {
  const bounds = (m: Measured) => [m.mean, m.interval?.low ?? null, m.interval?.high ?? null];
  const names = (name: string) => [name, `${name} 95% low`, `${name} 95% high`];
  return {
    columns: [
      'method',
      'setting',
      'baseline',
      'seeds',
      ...names('accuracy'),
      ...names('macro F1'),
      ...names('loss'),
      ...names('difference, points'),
      'paired seeds',
      'verdict',
      'trainable parameters',
      'share',
      ...names('seconds a step'),
      ...names('tokens a second'),
      'peak memory, bytes',
      'optimizer, bytes',
      'checkpoint, bytes',
      ...names('training seconds'),
    ],
    rows: c.rows.map((r) => [
      r.methodName,
      r.setting,
      r.baseline ? 'yes' : 'no',
      r.seeds.join(' '),
      ...bounds(r.accuracy),
      ...bounds(r.macroF1),
      ...bounds(r.loss),
      r.difference?.mean ?? null,
      r.difference?.interval?.low ?? null,
      r.difference?.interval?.high ?? null,
      r.difference?.pairedSeeds ?? null,
      r.verdict.text,
      r.trainableParameters,
      r.share,
      ...bounds(r.secondsPerStep),
      ...bounds(r.tokensPerSecond),
      r.peakMemoryBytes,
      r.optimizerBytes,
      r.checkpointBytes,
      ...bounds(r.trainingSeconds),
    ]),
  };
}
