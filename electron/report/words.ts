/** What every format says of a report beside its tables and figures. */
import { bytes, number, plural, scientific } from '../charting/format.js';
import type { Report } from '../contract/index.js';

export const runsInWords = (runs: readonly number[]): string =>
  runs.length === 0 ? '' : `${runs.length === 1 ? 'run' : 'runs'} ${runs.join(', ')}`;

const date = (iso: string): string => {
  const at = new Date(iso);
  return Number.isNaN(at.getTime())
    ? iso
    : at
        .toISOString()
        .replace('T', ' ')
        .replace(/:\d\d\.\d+Z$/, ' UTC');
};

/** "15 runs on model M, data a and b; 2 March 2026" */
export function subtitle({ provenance }: Report): string {
  const { data, model, runs, endedAt } = provenance;
  return `${plural(runs.length, 'run')} of ${model.name} on ${data.map(({ name }) => name).join(', ')}; ended ${date(endedAt)}`;
}

/** Model, data, versions and machine, a line each. */
export function facts({ provenance }: Report): { readonly name: string; readonly value: string }[] {
  const { machine, model, data, versions, startedAt, endedAt } = provenance;
  return [
    { name: 'Base model', value: `${model.name}${model.contentHash === null ? '' : `, content ${model.contentHash}`}` },
    ...data.map(({ name, contentHash, rows }) => ({
      name: 'Data set',
      value: `${name}: ${number(rows.train)} training, ${number(rows.validation)} validation and ${number(rows.test)} test rows, content ${contentHash}`,
    })),
    {
      name: 'Versions',
      value: Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    },
    {
      name: 'Machine',
      value: `${machine.platform}, ${machine.processor}, ${plural(machine.threads, 'thread')}, ${bytes(machine.memoryBytes)} memory; trained on ${machine.device}`,
    },
    { name: 'Measured', value: `${date(startedAt)} to ${date(endedAt)}` },
  ];
}

export const runColumns = [
  'Run',
  'Role',
  'Method',
  'Setting',
  'Seed',
  'Learning rate',
  'Data',
  'Data content',
  'Device',
] as const;
/** Every run, so that each number can be traced to what made it. */
export const runRows = ({ provenance }: Report): string[][] =>
  provenance.runs.map((run) => [
    String(run.id),
    run.role,
    run.methodName,
    run.setting,
    String(run.seed),
    scientific(run.learningRate),
    run.data,
    run.dataHash.slice(0, 12),
    run.device ?? '\u2013',
  ]);

export const repeatWords = 'To repeat it, save this as study.json and run: peft-studio study study.json';
/** A key a line: short enough to be read and copied. */
export const studyJson = ({ provenance }: Report): string =>
  `{\n${Object.entries(provenance.study)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(',\n')}\n}`;
