/** Where the keyboard and a screen reader go on when what had the focus is taken away. */

/**
 * Lets the focus fall on the nearest part of `root` that still stands when the element that had it is removed: a button that its own press
 * replaces, a screen that is left. By itself the browser lets it fall on the page, and a screen reader begins at the top.
 * Returns the function that stops.
 */
export function keepFocus(root: HTMLElement): () => void {
  /** What has the focus, and what holds it, from the inside out. */
  let held: readonly HTMLElement[] = [];

  function follow({ target }: FocusEvent): void {
    const chain: HTMLElement[] = [];
    for (let at = target instanceof HTMLElement ? target : null; at; at = at.parentElement) {
      chain.push(at);
      if (at === root) break;
    }
    // Dialogs and menus beside the screen give it back themselves.
    held = chain.at(-1) === root ? chain : [];
  }
  function mend(): void {
    const [focused] = held;
    if (!focused || focused.isConnected) return;
    const place = held.find((element) => element.isConnected && element.checkVisibility());
    held = [];
    if (!place || (document.activeElement !== null && document.activeElement !== document.body)) return;
    if (!place.hasAttribute('tabindex')) {
      place.tabIndex = -1;
      place.addEventListener('blur', () => place.removeAttribute('tabindex'), { once: true });
    }
    place.focus({ preventScroll: true });
  }

  const observer = new MutationObserver(mend);
  observer.observe(root, { childList: true, subtree: true });
  document.addEventListener('focusin', follow);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', follow);
  };
}

/** Takes the keyboard to the first faulty field below `root`, and the field into sight. Returns whether there is one. */
export function focusFault(root: ParentNode): boolean {
  const faulty = root.querySelector('[data-faulty]');
  const field =
    faulty?.querySelector<HTMLElement>('[aria-invalid="true"]') ??
    faulty?.querySelector<HTMLElement>('input, select, textarea, button');
  field?.focus();
  return field !== undefined && field !== null;
}
