/** A comparison as text and as a file. */
import {
  measureTable,
  objectiveTable,
  type Comparison,
  type ComparisonRow,
  type Measure,
} from '../../../electron/contract/index.js';
import type { ChartTable } from '../../charts/index.js';
import { bytes, NO_VALUE, number, outward, signed, trainedShare } from '../../state/format.js';
import { endsOf, unitOf, valueOf } from '../../state/scores.js';
import { mark, n, t } from '../../language.js';

export const measureName = (measure: Measure): string => t(measureTable[measure].name);

/** What differences are in: points of a share, or percent of a perplexity. */
export const differenceUnit = (measure: Measure): 'points' | '%' => measureTable[measure].difference;
/** "1 point", "2 points", "2 %". */
export const zoneWidth = (zone: number, measure: Measure): string =>
  differenceUnit(measure) === '%' ? `${zone} %` : n(zone, '{count} point', '{count} points', { count: zone });

/** Decimals that a zone of equivalence asks for: 1 point needs one, 0.25 needs two. */
export const zoneDigits = (zone: number): number => (Number.isInteger(zone * 10) ? 1 : 2);

const verdictTitles: Readonly<Record<string, string>> = {
  within: mark('Within'),
  better: mark('Better'),
  worse: mark('Worse'),
  undecided: mark('Cannot tell yet'),
  'no-baseline': mark('No baseline'),
  baseline: mark('Baseline'),
};

/** Title of a group of sentences: "Within 1 point of full fine-tuning". */
export function verdictTitle(kind: string, zone: number, measure: Measure): string {
  if (kind === 'within') return t('Within {zoneWidth} of full fine-tuning', { zoneWidth: zoneWidth(zone, measure) });
  return t(verdictTitles[kind] ?? mark('Note'));
}

/** The verdict in a cell of the table: "Within 1 point", "Worse". */
export const verdictCell = (row: ComparisonRow, { zone, measure }: Pick<Comparison, 'zone' | 'measure'>): string =>
  row.verdict.kind === 'within'
    ? t('Within {zoneWidth}', { zoneWidth: zoneWidth(zone, measure) })
    : t(verdictTitles[row.verdict.kind] ?? row.verdict.text);

type Measured = ComparisonRow['loss'];

/** A score as tables show it: shares in percent, perplexities as they are. */
export function scoreOf(row: ComparisonRow, measure: Measure): { value: string; ends: string | null } | null {
  const m = row[measure] ?? null;
  if (m === null) return null;
  return { value: valueOf(measure, m.mean), ends: m.interval && endsOf(measure, m.interval) };
}

/** "91.6 (91.0 to 92.2) %" */
function scoreInWords(row: ComparisonRow, measure: Measure): string {
  const score = scoreOf(row, measure);
  if (score === null) return NO_VALUE;
  return `${score.value}${score.ends === null ? '' : ` (${score.ends})`}${unitOf(measure)}`;
}

/** Half the width of an interval that is symmetric about its mean, null without one. */
export const halfWidth = (m: Measured): number | null => (m.interval ? (m.interval.high - m.interval.low) / 2 : null);

/** All that a comparison's runs are measured by. */
export const measuresIn = ({ objective }: Pick<Comparison, 'objective'>): readonly Measure[] =>
  objectiveTable[objective].measures;

/** Verdicts, table and how it was measured, for a mail or a note. */
export function comparisonText(c: Comparison): string {
  const lines = [
    t('{model} on {dataset}: {testRows} test rows, {measureName}, zone of equivalence ± {zoneWidth}', {
      model: c.model,
      dataset: c.dataset,
      testRows: number(c.testRows),
      measureName: measureName(c.measure),
      zoneWidth: zoneWidth(c.zone, c.measure),
    }),
    '',
    ...c.sentences.map((s) => s.text),
    '',
  ];
  for (const row of c.rows) {
    const difference = row.difference
      ? t(', difference {difference}{range} {unit}', {
          difference: signed(row.difference.mean),
          range: row.difference.interval
            ? ` (${outward(row.difference.interval.low, row.difference.interval.high).join(t(' to '))})`
            : '',
          unit: t(differenceUnit(c.measure)),
        })
      : '';
    lines.push(
      t(
        '{methodName}, {setting}: {measureName} {scoreInWords}{difference}; trains {trainableParameters} ({share} %); {cost}{seeds}. {verdict}',
        {
          methodName: row.methodName,
          setting: row.setting,
          measureName: measureName(c.measure),
          scoreInWords: scoreInWords(row, c.measure),
          difference,
          trainableParameters: number(row.trainableParameters),
          share: trainedShare(row.share, 1),
          cost:
            row.secondsPerStep && row.peakMemoryBytes !== null
              ? t('{secondsPerStep} ms a step; peak {peakMemoryBytes}; ', {
                  secondsPerStep: number(row.secondsPerStep.mean * 1000),
                  peakMemoryBytes: bytes(row.peakMemoryBytes),
                })
              : '',
          seeds: n(row.seeds.length, '{count} seed', '{count} seeds'),
          verdict: row.verdict.text,
        },
      ),
    );
  }
  return [...lines, '', c.method, ...c.notes].join('\n');
}

/** Every number of the comparison, unrounded, for a spreadsheet. */
export function comparisonTable(c: Comparison): ChartTable {
  const bounds = (m: Measured | null | undefined) => [
    m?.mean ?? null,
    m?.interval?.low ?? null,
    m?.interval?.high ?? null,
  ];
  const qualities = measuresIn(c);
  const names = (name: string) => [name, `${name} 95% low`, `${name} 95% high`];
  return {
    columns: [
      'method',
      'setting',
      'baseline',
      'seeds',
      ...qualities.flatMap((measure) => names(measureTable[measure].name)),
      ...names('loss'),
      ...names(`difference, ${differenceUnit(c.measure)}`),
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
      ...qualities.flatMap((measure) => bounds(r[measure])),
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
