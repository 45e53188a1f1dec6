/** A user without a mouse: goes by Tab, and sees where the focus is. */
import type { Page } from '@playwright/test';
import { expect } from './harness.js';

/** Where the focus stands after a key. */
interface Stop {
  /** What has it, in words; null where nothing has. */
  readonly name: string | null;
  /** Test ids of it and of what holds it. */
  readonly ids: readonly string[];
  /** Can it be seen in the window? */
  readonly inSight: boolean;
  /** What had the focus before and looks the same without it. */
  readonly unmarked: string | null;
}

/** Runs in the page: tells the stop, and whether the one before looked different while it had the focus. */
function look(): Stop {
  const state = window as unknown as { lastStop?: { element: Element; looks: string } };
  const looksOf = (element: Element): string => {
    const parts: string[] = [];
    const add = (of: Element, pseudo?: string) => {
      const { boxShadow, outlineStyle, outlineColor, borderColor, backgroundColor, textDecorationLine, opacity } =
        getComputedStyle(of, pseudo);
      parts.push(boxShadow, outlineStyle, outlineColor, borderColor, backgroundColor, textDecorationLine, opacity);
    };
    for (let at: Element | null = element, up = 0; at && up < 3; at = at.parentElement, up += 1)
      for (const pseudo of [undefined, '::before', '::after']) add(at, pseudo);
    return parts.join('|');
  };
  const nameOf = (element: Element): string => {
    const words =
      element.getAttribute('aria-label') ?? (element.textContent.trim() || (element.getAttribute('name') ?? ''));
    return `${element.tagName.toLowerCase()} "${words.replace(/\s+/g, ' ').slice(0, 60)}"`;
  };
  const last = state.lastStop;
  const element = document.activeElement;
  const unmarked =
    last && last.element !== element && last.element.isConnected && looksOf(last.element) === last.looks
      ? nameOf(last.element)
      : null;
  if (!element || element === document.body) {
    delete state.lastStop;
    return { name: null, ids: [], inSight: true, unmarked };
  }
  state.lastStop = { element, looks: looksOf(element) };
  element.setAttribute('data-reached', '');
  const ids: string[] = [];
  for (let at: Element | null = element; at; at = at.parentElement) {
    const id = at.getAttribute('data-testid');
    if (id !== null) ids.push(id);
  }
  // A field that is drawn by its label stands where the label does.
  const box = (element.matches('.visually-hidden') ? element.closest('label') : element)?.getBoundingClientRect();
  const inSight = !!box && box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0;
  return { name: nameOf(element), ids, inSight: inSight && box.top < innerHeight && box.left < innerWidth, unmarked };
}

/** Runs in the page: what can be used and was never reached. */
function unreached(): string[] {
  const usable = 'a[href], button, input, select, textarea, summary, [tabindex], [role="button"], [contenteditable]';
  const reached = [...document.querySelectorAll('[data-reached]')];
  for (const element of reached) element.removeAttribute('data-reached');
  const radios = new Set(
    reached.map((element) => element.getAttribute('type') === 'radio' && element.getAttribute('name')),
  );
  const root = document.querySelector('dialog[open]') ?? document;
  return [...root.querySelectorAll<HTMLElement>(usable)]
    .filter(
      (element) =>
        !reached.includes(element) &&
        element.tabIndex >= 0 &&
        !element.matches(':disabled') &&
        element.checkVisibility({ visibilityProperty: true }) &&
        !radios.has(element.getAttribute('name') ?? '-'),
    )
    .map((element) => element.outerHTML.slice(0, 160));
}

export class Keys {
  constructor(private readonly page: Page) {}

  press(key: string): Promise<void> {
    return this.page.keyboard.press(key);
  }

  /** Presses a key and looks where the focus is; it must be seen, and what it left must have been. */
  async #step(key: string): Promise<Stop> {
    await this.press(key);
    const stop = await this.page.evaluate(look);
    expect(stop.unmarked, 'had the focus and looked no different').toBeNull();
    expect(stop.inSight, `${stop.name} has the focus in sight`).toBe(true);
    return stop;
  }

  /** Presses Tab until what has this test id, or something in it, has the focus. */
  async to(testid: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    await expect(this.page.getByTestId(testid)).toBeVisible();
    const passed: (string | null)[] = [];
    for (let presses = 0; presses < 200; presses += 1) {
      const { ids, name } = await this.#step(key);
      if (ids.includes(testid)) return;
      passed.push(name);
    }
    throw new Error(`"${testid}" is not reached by ${key}: ${passed.join(', ')}`);
  }

  /** Goes to something and presses a key on it. */
  async use(testid: string, key = 'Enter'): Promise<void> {
    await this.to(testid);
    await this.#use(key);
  }
  async #use(key: string): Promise<void> {
    // What the key changes is no matter of how the focus looks.
    await this.page.evaluate(() => void delete (window as unknown as { lastStop?: unknown }).lastStop);
    await this.press(key);
  }

  /** Goes to a field and writes in place of what it holds. */
  async write(testid: string, text: string): Promise<void> {
    await this.use(testid, 'Control+a');
    await this.page.keyboard.type(text);
  }

  /** The focus is somewhere: a screen reader that lost it begins at the window's top again. */
  async kept(what: string): Promise<void> {
    await expect
      .poll(() => this.page.evaluate(() => document.activeElement !== document.body), { message: `focus ${what}` })
      .toBe(true);
  }

  /** Goes once around by Tab: all that can be used must be reached. Returns how many stops there are. */
  async around(what: string): Promise<number> {
    await this.page.evaluate(() => {
      for (const element of document.querySelectorAll('[data-reached]')) element.removeAttribute('data-reached');
      (document.activeElement as HTMLElement | null)?.blur();
    });
    const first = await this.#step('Tab');
    const firstElement = await this.page.evaluateHandle(() => document.activeElement);
    let stops = 1;
    for (; stops < 300; stops += 1) {
      await this.#step('Tab');
      if (await firstElement.evaluate((element) => element === document.activeElement)) break;
    }
    await firstElement.dispose();
    expect(stops, `${what}: Tab comes back to ${first.name}`).toBeLessThan(300);
    expect(await this.page.evaluate(unreached), `${what}: not reached by Tab`).toEqual([]);
    return stops;
  }
}
