/** Where a chart's or a table's file goes: the user chooses the path, the studio writes it. */
import { saveFile } from '../state/save.js';

/** A file that the user asked for: the owner of the chart chooses a path and writes it. */
export type ChartFile =
  | { readonly kind: 'csv'; readonly name: string; readonly text: string }
  | { readonly kind: 'png'; readonly name: string; readonly base64: string };

/** Asks for a path and writes the file; nothing happens when the dialog is closed. Failures are shown, not thrown. */
export const saveChart = (file: ChartFile): Promise<void> =>
  saveFile(file.name, file.kind === 'csv' ? { text: file.text } : { base64: file.base64 });
