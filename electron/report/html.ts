/** A report as one HTML file that needs nothing else: no script, no network, light or dark as the reader's system is. */
import { chartOf, type Looks } from '../charting/figure.js';
import { markerPath } from '../charting/marker.js';
import type { ChartTable } from '../charting/csv.js';
import { cellWords, columnTitle, isNumeric } from '../charting/report-table.js';
import { tableTexts } from '../charting/values.js';
import { verdictWords } from '../charting/verdict-words.js';
import type { Report, ReportTable } from '../contract/index.js';
import { livePalette } from './colours.js';
import { pageStyle } from './html-style.js';
import { picture } from './pictures.js';
import { facts, repeatWords, runColumns, runRows, runsInWords, studyJson, subtitle } from './words.js';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);

const cells = (tag: 'td' | 'th', texts: readonly string[], numeric: (column: number) => boolean): string =>
  texts
    .map((text, i) => `<${tag}${numeric(i) ? ' class="n"' : ''}${tag === 'th' ? ' scope="col"' : ''}>${text}</${tag}>`)
    .join('');
const tableOf = (
  label: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: (column: number) => boolean,
): string =>
  `<div class="scroll"><table${head.length > 8 ? ' class="wide"' : ''} aria-label="${escape(label)}"><thead><tr>${cells('th', head.map(escape), numeric)}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells('td', row, numeric)}</tr>`)
    .join('')}</tbody></table></div>`;

function marker(method: string | null, looks: Looks): string {
  const look = method === null ? null : looks(method);
  if (look === null) return '';
  return `<svg class="mark" viewBox="-7 -7 14 14" aria-hidden="true"><path d="${markerPath(look.marker)}" fill="${livePalette.method(look.colour)}"/></svg>`;
}

function reportTable(table: ReportTable, looks: Looks): string {
  const rows = table.rows.map((row) => [
    ...table.columns.map((column, i) => {
      const { text, ends } = cellWords(row.cells[column.key], column);
      return `${i === 0 ? marker(row.method, looks) : ''}${escape(text)}${ends === null ? '' : `<small>${escape(ends)}</small>`}`;
    }),
    escape(row.runs.join(', ')),
  ]);
  const numeric = table.columns.map((column) => isNumeric(table, column));
  const body =
    rows.length === 0
      ? '<p class="note">No rows.</p>'
      : tableOf(table.title, [...table.columns.map(columnTitle), 'runs'], rows, (i) => numeric[i] ?? false);
  const note = table.note === '' ? '' : `<p class="note">${escape(table.note)}</p>`;
  return `<section class="table${rows.length > 12 ? ' long' : ''}"><h3>${escape(table.title)}</h3>${body}${note}</section>`;
}

function valuesOf(title: string, table: ChartTable): string {
  const { columns, rows } = table;
  const numeric = columns.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const texts = tableTexts(table).map((row) => row.map(escape));
  // A box that shows it, because what is folded away by <details> is not printed everywhere.
  return `<label class="fold"><input type="checkbox"> The values as a table</label><div class="values">${tableOf(title, columns, texts, (i) => numeric[i] ?? false)}</div>`;
}

function figureOf(figure: Report['figures'][number], looks: Looks): string {
  const chart = chartOf(figure, looks);
  const svg = picture(chart, livePalette, { width: 920, id: `f-${figure.id.replace(/[^\w-]/g, '-')}` });
  const named = svg.replace(/^<svg /, `<svg role="img" aria-label="${escape(chart.summary)}" `);
  return `<figure><h3>${escape(figure.title)}</h3><div class="picture">${named}</div>${valuesOf(figure.title, chart.table)}</figure>`;
}

const listOf = (lines: readonly string[]): string =>
  `<ul class="plain">${lines.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`;
const section = (title: string, body: string): string =>
  body === '' ? '' : `<section><h2>${title}</h2>${body}</section>`;

/** The whole page. `looks` gives each method its colour and shape. */
export function htmlOf(report: Report, looks: Looks): string {
  const verdicts = report.verdicts.map(({ kind, text, runs }) => {
    const { word, tone } = verdictWords[kind];
    const evidence = runs.length === 0 ? '' : `<small>Rests on ${runsInWords(runs)}</small>`;
    return `<li style="--tone:var(${tone})"><b>${word}</b><span>${escape(text)}</span>${evidence}</li>`;
  });
  const runs = runRows(report).map((row) => row.map(escape));
  const provenance = `<dl>${facts(report)
    .map(({ name, value }) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`)
    .join('')}</dl>
<h3 style="margin-top:20px">Every run</h3>${tableOf('Every run', runColumns, runs, (i) => i === 0 || i === 4 || i === 5)}
<h3 style="margin-top:20px">The study</h3><p class="note">${escape(repeatWords)}</p><pre>${escape(studyJson(report))}</pre>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(report.title)}</title><style>${pageStyle}</style></head>
<body><main>
<header><p class="kind">PEFT Studio, report of a study</p><h1>${escape(report.title)}</h1><p class="question">${escape(report.question)}</p><p class="quiet">${escape(subtitle(report))}</p></header>
${section('What it found', verdicts.length === 0 ? '' : `<ul class="verdicts">${verdicts.join('')}</ul>`)}
${section('Figures', report.figures.map((figure) => figureOf(figure, looks)).join('\n'))}
${section('Tables', report.tables.map((table) => reportTable(table, looks)).join('\n'))}
${section('How it was measured', report.protocol.length === 0 ? '' : listOf(report.protocol))}
${section('Notes', report.notes.length === 0 ? '' : listOf(report.notes))}
${section('Where it comes from', provenance)}
</main></body></html>
`;
}
