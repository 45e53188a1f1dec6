/** A report as PDF, set without a window: the same words, tables and figures as the page, on A4. */
import { createRequire } from 'node:module';
import pdfmake from 'pdfmake';
import type { ChartTable } from '../charting/csv.js';
import { chartOf, type Looks } from '../charting/figure.js';
import { markerPath } from '../charting/marker.js';
import { cellWords, columnTitle, isNumeric } from '../charting/report-table.js';
import { tableTexts } from '../charting/values.js';
import { verdictWords } from '../charting/verdict-words.js';
import type { Report, ReportTable } from '../contract/index.js';
import { paperColour, paperPalette } from './colours.js';
import { picture } from './pictures.js';
import { facts, repeatWords, runColumns, runRows, runsInWords, studyJson, subtitle } from './words.js';

type Definition = Parameters<typeof pdfmake.createPdf>[0];
type Content = Definition['content'];
type TableCell = Content;

const font = 'Roboto';
/** Width of A4 less its margins, in points. */
const measure = 595 - 2 * 40;
const quiet = paperColour('--text-2');
const rule = paperColour('--border');
/** What Roboto draws: Latin, Greek, Cyrillic and common signs. */
const drawable =
  /^[\t\n\r\u0020-\u024f\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205f\u2070-\u209f\u20a0-\u20bf\u2122\u2212\u2248\u2260\u2264\u2265]*$/u;

/** The font lies in its package; it is found from wherever this program was built to. */
function fonts(): Record<string, Record<'normal' | 'bold', string>> {
  const { resolve } = createRequire(import.meta.url);
  const face = (name: string) => resolve(`pdfmake/fonts/Roboto/Roboto-${name}.ttf`);
  return { [font]: { normal: face('Regular'), bold: face('Medium') } };
}

const size = (columns: number): number => (columns <= 6 ? 8.5 : columns <= 9 ? 7.5 : 6.5);
const lines = {
  hLineWidth: (i: number, node: { table: { body: unknown[][] } }) =>
    i === 0 || i === node.table.body.length ? 0 : 0.5,
  vLineWidth: () => 0,
  hLineColor: () => rule,
  paddingLeft: (i: number) => (i === 0 ? 0 : 5),
  paddingRight: () => 5,
  paddingTop: () => 2.5,
  paddingBottom: () => 2.5,
};

interface Column {
  readonly title: string;
  readonly numeric: boolean;
}
/** A table whose head comes again on each page; long texts take what numbers leave. */
function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly TableCell[])[],
  longest: readonly number[],
): Content {
  return {
    fontSize: size(columns.length),
    margin: [0, 4, 0, 4],
    layout: lines,
    table: {
      headerRows: 1,
      dontBreakRows: true,
      widths: columns.map(({ numeric }, i) => (!numeric && (longest[i] ?? 0) > 24 ? '*' : 'auto')),
      body: [
        columns.map(({ title, numeric }) => ({ text: title, color: quiet, alignment: numeric ? 'right' : 'left' })),
        ...rows.map((row) => [...row]),
      ],
    },
  };
}
const texts = (columns: readonly Column[], rows: readonly (readonly string[])[]): Content =>
  tableOf(
    columns,
    rows.map((row) => row.map((text, i) => ({ text, alignment: columns[i]?.numeric ? 'right' : 'left' }))),
    columns.map((_, i) => Math.max(0, ...rows.map((row) => (row[i] ?? '').length))),
  );

/** The method's mark before its name. */
function marked(text: string, method: string | null, looks: Looks): TableCell {
  const look = method === null ? null : looks(method);
  if (look === null) return { text };
  const colour = paperPalette(font).method(look.colour);
  return {
    columns: [
      {
        svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-7 -7 14 14"><path d="${markerPath(look.marker)}" fill="${colour}"/></svg>`,
        width: 9,
        margin: [0, 0.5, 0, 0],
      },
      { text, width: 'auto' },
    ],
    columnGap: 3,
  };
}

function reportTable(table: ReportTable, looks: Looks): Content {
  const columns = [
    ...table.columns.map((column) => ({ title: columnTitle(column), numeric: isNumeric(table, column) })),
    { title: 'runs', numeric: false },
  ];
  const rows = table.rows.map((row): TableCell[] => [
    ...table.columns.map((column, i): TableCell => {
      const { text, ends } = cellWords(row.cells[column.key], column);
      if (i === 0) return marked(text, row.method, looks);
      const alignment = columns[i]?.numeric ? 'right' : 'left';
      return ends === null ? { text, alignment } : { stack: [text, { text: ends, color: quiet }], alignment };
    }),
    { text: row.runs.join(', '), color: quiet },
  ]);
  const longest = columns.map((_, i) =>
    Math.max(
      0,
      ...table.rows.map((row) => {
        const column = table.columns[i];
        return column ? cellWords(row.cells[column.key], column).text.length : row.runs.join(', ').length;
      }),
    ),
  );
  return [
    { text: table.title, style: 'h3' },
    rows.length === 0 ? { text: 'No rows.', color: quiet } : tableOf(columns, rows, longest),
    ...(table.note === ''
      ? []
      : [{ text: table.note, color: quiet, fontSize: 8.5, margin: [0, 0, 0, 8] as [number, number, number, number] }]),
  ];
}

function values(table: ChartTable): Content {
  const { columns, rows } = table;
  return texts(
    columns.map((title, i) => ({ title, numeric: rows.some((row) => typeof row[i] === 'number') })),
    tableTexts(table),
  );
}

function figures(report: Report, looks: Looks): Content[] {
  return report.figures.flatMap((figure): Content[] => {
    const chart = chartOf(figure, looks);
    const svg = picture(chart, paperPalette(font), { width: 760, id: 'f' });
    return [
      {
        unbreakable: true,
        stack: [
          { text: figure.title, style: 'h3' },
          { svg, width: measure },
        ],
      },
      values(chart.table),
    ];
  });
}

const factTable = (report: Report): Content => ({
  fontSize: 8.5,
  layout: lines,
  table: {
    widths: [60, '*'],
    dontBreakRows: true,
    body: facts(report).map(({ name, value }) => [{ text: name, color: quiet }, value]),
  },
});
const section = (title: string, content: readonly Content[]): Content[] =>
  content.length === 0 ? [] : [{ text: title, style: 'h2' }, ...content];
/** A list stays with its heading; a long one begins on a page of its own. */
const bullets = (title: string, items: readonly string[]): Content[] =>
  items.length === 0
    ? []
    : [{ unbreakable: items.length <= 20, stack: [{ text: title, style: 'h2' }, { ul: [...items] }] }];

function document(report: Report, looks: Looks): Definition {
  const verdicts = report.verdicts.map(({ kind, text, runs }): TableCell[] => {
    const { word, tone } = verdictWords[kind];
    const evidence = runs.length === 0 ? [] : [{ text: `Rests on ${runsInWords(runs)}`, color: quiet, fontSize: 8 }];
    return [{ text: word, bold: true, color: paperColour(tone) }, { stack: [text, ...evidence] }];
  });
  const notes = drawable.test(JSON.stringify(report))
    ? report.notes
    : [
        ...report.notes,
        'Some letters are not in the font of this file and show as boxes; the report as HTML has them all.',
      ];
  return {
    pageSize: 'A4',
    pageMargins: [40, 44, 40, 48],
    info: { title: report.title, creator: 'PEFT Studio' },
    defaultStyle: { font, fontSize: 9.5, lineHeight: 1.2, color: paperColour('--text') },
    styles: {
      h1: { fontSize: 20, bold: true, margin: [0, 2, 0, 4] },
      h2: { fontSize: 14, bold: true, margin: [0, 18, 0, 6] },
      h3: { fontSize: 10.5, bold: true, margin: [0, 10, 0, 3] },
    },
    footer: (page, pages) => ({
      margin: [40, 14, 40, 0],
      fontSize: 8,
      color: quiet,
      columns: [report.title, { text: `${page} of ${pages}`, alignment: 'right' }],
    }),
    // A heading never stands alone at the foot of a page.
    pageBreakBefore: ({ style }, queries) =>
      (style === 'h2' || style === 'h3') && queries.getFollowingNodesOnPage().length === 0,
    content: [
      { text: 'PEFT Studio, report of a study', color: quiet },
      { text: report.title, style: 'h1' },
      { text: report.question, fontSize: 11, margin: [0, 0, 0, 3] },
      { text: subtitle(report), color: quiet },
      ...section(
        'What it found',
        verdicts.length === 0
          ? []
          : [
              {
                layout: { ...lines, paddingTop: () => 4, paddingBottom: () => 4 },
                table: { widths: [92, '*'], dontBreakRows: true, body: verdicts },
              },
            ],
      ),
      ...section('Figures', figures(report, looks)),
      ...section(
        'Tables',
        report.tables.map((table) => reportTable(table, looks)),
      ),
      ...bullets('How it was measured', report.protocol),
      ...bullets('Notes', notes),
      { text: 'Where it comes from', style: 'h2' },
      factTable(report),
      { text: 'Every run', style: 'h3' },
      texts(
        runColumns.map((title, i) => ({ title, numeric: i === 0 || i === 4 || i === 5 })),
        runRows(report),
      ),
      { text: 'The study', style: 'h3' },
      { text: repeatWords, color: quiet },
      { text: studyJson(report), fontSize: 7.5, preserveLeadingSpaces: true, margin: [0, 4, 0, 0] },
    ],
  };
}

/** The whole file. Reads its font from the package beside it and nothing else. */
export async function pdfOf(report: Report, looks: Looks): Promise<Buffer> {
  const faces = fonts();
  const own = new Set(Object.values(faces).flatMap((face) => Object.values(face)));
  pdfmake.setFonts(faces);
  pdfmake.setUrlAccessPolicy(() => false);
  pdfmake.setLocalAccessPolicy((path: string) => own.has(path));
  return pdfmake.createPdf(document(report, looks)).getBuffer();
}
