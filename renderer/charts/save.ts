/** Where a chart's or a table's file goes: the user chooses the path, the studio writes it. */
import { call } from '../state/client.js';
import { toasts } from '../state/toasts.svelte.js';
import { t } from '../language.js';

/** A file that the user asked for: the owner of the chart chooses a path and writes it. */
export type ChartFile =
  | { readonly kind: 'csv'; readonly name: string; readonly text: string }
  | { readonly kind: 'png'; readonly name: string; readonly base64: string };

/** Asks for a path and writes the file; nothing happens when the dialog is closed. Failures are shown, not thrown. */
export async function saveChart(file: ChartFile): Promise<void> {
  try {
    const { path } = await call('files.choose', { kind: 'save', suggestedName: file.name });
    if (path === null) return;
    await call('files.write', file.kind === 'csv' ? { path, text: file.text } : { path, base64: file.base64 });
    toasts.show(t('Saved {path}', { path }), {
      tone: 'good',
      action: {
        label: t('Show in folder'),
        run: () => void call('files.show', { path }).catch((error: unknown) => toasts.problem(error)),
      },
    });
  } catch (error) {
    toasts.problem(error);
  }
}
