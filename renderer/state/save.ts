/** What the window writes goes where the user says. */
import { call } from './client.js';
import { toasts } from './toasts.svelte.js';
import { t } from '../language.js';

/** Tells where a file lies now, with the way there. */
export function tellSaved(path: string): void {
  toasts.show(t('Saved {path}', { path }), {
    tone: 'good',
    action: {
      label: t('Show in folder'),
      run: () => void call('files.show', { path }).catch((error: unknown) => toasts.problem(error)),
    },
  });
}

/** Asks for a path and writes the file; nothing happens when the dialog is closed. Failures are shown, not thrown. */
export async function saveFile(
  suggestedName: string,
  content: { readonly text: string } | { readonly base64: string },
): Promise<void> {
  try {
    const { path } = await call('files.choose', { kind: 'save', suggestedName });
    if (path === null) return;
    await call('files.write', { path, ...content });
    tellSaved(path);
  } catch (error) {
    toasts.problem(error);
  }
}

/** Writes a plan or a study as the command takes it. */
export const saveJson = (suggestedName: string, value: unknown): Promise<void> =>
  saveFile(suggestedName, { text: `${JSON.stringify(value, null, 2)}\n` });
