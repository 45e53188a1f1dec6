/** A report as one CSV file: every table and figure with a title line above it and an empty line below. */
import { toCsv, type ChartTable } from '../charting/csv.js';
import { chartOf, type Looks } from '../charting/figure.js';
import { flatTable } from '../charting/report-table.js';
import { verdictWords } from '../charting/verdict-words.js';
import type { Report } from '../contract/index.js';
import { facts } from './words.js';

const list = (title: string, head: string, lines: readonly string[]): [string, ChartTable] => [
  title,
  { columns: [head], rows: lines.map((line) => [line]) },
];

/** Numbers are unformatted; a text that a spreadsheet would run is quoted by an apostrophe. */
export function csvOf(report: Report, looks: Looks): string {
  const { provenance } = report;
  const sections: (readonly [string, ChartTable])[] = [
    [
      'Verdicts',
      {
        columns: ['verdict', 'text', 'runs'],
        rows: report.verdicts.map(({ kind, text, runs }) => [verdictWords[kind].word, text, runs.join(' ')]),
      },
    ],
    ...report.tables.map((table) => [table.title, flatTable(table)] as const),
    ...report.figures.map((figure) => [`Figure: ${figure.title}`, chartOf(figure, looks).table] as const),
    list('How it was measured', 'sentence', report.protocol),
    list('Notes', 'note', report.notes),
    ['Provenance', { columns: ['what', 'value'], rows: facts(report).map(({ name, value }) => [name, value]) }],
    [
      'Runs',
      {
        columns: ['run', 'role', 'method', 'setting', 'seed', 'learning rate', 'data', 'data content', 'device'],
        rows: provenance.runs.map((run) => [
          run.id,
          run.role,
          run.methodName,
          run.setting,
          run.seed,
          run.learningRate,
          run.data,
          run.dataHash,
          run.device,
        ]),
      },
    ],
    ['Study', { columns: ['json'], rows: [[JSON.stringify(provenance.study)]] }],
  ];
  const head = toCsv({ columns: [report.title], rows: [[report.question]] });
  return [head, ...sections.map(([title, table]) => toCsv({ columns: [title], rows: [] }) + toCsv(table))].join('\r\n');
}
