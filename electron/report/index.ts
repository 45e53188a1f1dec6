/** Reports that leave the app: one door for the window and for the command. */
import type { Looks } from '../charting/figure.js';
import type { Report, ReportFormat } from '../contract/index.js';

/**
 * The report as a file's content. `looks` gives each method its colour and shape.
 * What draws and sets it is loaded when it is first asked for: few starts of the app or the command need it. In the built app this file is
 * a program of its own (electron/dev/build.mjs).
 */
export async function reportFile(report: Report, format: ReportFormat, looks: Looks): Promise<string | Uint8Array> {
  switch (format) {
    case 'html':
      return (await import('./html.js')).htmlOf(report, looks);
    case 'pdf':
      return (await import('./pdf.js')).pdfOf(report, looks);
    case 'csv':
      // A spreadsheet takes a file for UTF-8 by its first three bytes only.
      return `\ufeff${(await import('./csv.js')).csvOf(report, looks)}`;
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
  }
}
