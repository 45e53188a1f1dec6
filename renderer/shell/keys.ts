/** Names of keys as this system writes them, and which keys lead where. */

export const isMac = typeof navigator !== 'undefined' && /Mac/.test(navigator.userAgent);

/** "Ctrl K" here, "Cmd K" on a Mac. */
export const keyName = (keys: string): string => (isMac ? keys.replace('Ctrl', 'Cmd') : keys);

/** Whether the user is writing: letters then belong to the field. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
