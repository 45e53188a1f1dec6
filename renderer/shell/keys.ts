/** Names of keys as this system writes them, and which keys lead where. */
import { t } from '../language.js';

export const isMac = typeof navigator !== 'undefined' && /Mac/.test(navigator.userAgent);

/** "Ctrl K" here, "Cmd K" on a Mac, "Strg K" on a German keyboard. */
export const keyName = (keys: string): string =>
  isMac ? keys.replace('Ctrl', 'Cmd') : keys.replace('Ctrl', t('Ctrl')).replace('Enter', t('Enter'));

/** Whether the user is writing: letters then belong to the field. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
