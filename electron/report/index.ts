/** Reports that leave the app: one door for the window and for the command. */
import type { Looks } from '../charting/figure.js';
import type { Report, ReportFormat } from '../contract/index.js';
import { csvOf } from './csv.js';
import { htmlOf } from './html.js';
import { pdfOf } from './pdf.js';

/** The report as a file's content. `looks` gives each method its colour and shape. */
export async function reportFile(report: Report, format: ReportFormat, looks: Looks): Promise<string | Uint8Array> {
  switch (format) {
    case 'html':
      return htmlOf(report, looks);
    case 'pdf':
      return pdfOf(report, looks);
    case 'csv':
      // A spreadsheet takes a file for UTF-8 by its first three bytes only.
      return `\ufeff${csvOf(report, looks)}`;
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
  }
}
