/** The window in German: chosen in the settings, at once and everywhere, nothing left in English that the catalogue has. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, type Studio } from './harness.js';

const folder = path.resolve('electron/language/de');
/** English texts whose German is another one. */
const translated = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) =>
    Object.entries(JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Record<string, unknown>),
  )
  .flatMap(([english, german]) => (german === english ? [] : [english]));

/** Texts and names on the page that stand there in English. */
const english = (studio: Studio) =>
  studio.page.evaluate((texts) => {
    const known = new Set(texts);
    const found = new Set<string>();
    const look = (text: string | null | undefined) => {
      const trimmed = text?.trim() ?? '';
      if (known.has(trimmed)) found.add(trimmed);
    };
    for (const element of document.querySelectorAll('body *')) {
      // What the rows of the data say stays as it is, and so do names of methods.
      if (element.closest('[data-testid="rows"], [data-testid="playground-text"], article, a[data-testid^="help-"]'))
        continue;
      for (const name of ['title', 'aria-label', 'placeholder']) look(element.getAttribute(name));
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) look(node.textContent);
    }
    return [...found];
  }, translated);

test('speaks German from the setting on, on every screen', async ({ studio }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  const slow = { timeout: 120_000 };
  const heading = page.getByRole('heading', { level: 1 });
  const looked = async (name: string) => {
    expect.soft(await english(studio), `English on ${name}`).toEqual([]);
    await studio.picture(`german-${name}`);
    await studio.expectAccessible(`${name} in German`);
  };

  await studio.go('#/settings');
  await expect(heading).toHaveText('Settings');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await at('settings-language').getByText('Deutsch').click();
  // At once, without another start; the frame around the screen too, and the menu of the system.
  await expect(heading).toHaveText('Einstellungen');
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(at('nav-home')).toContainText('Alle Projekte');
  expect((await studio.call('settings.get', {})).language).toBe('de');
  await expect
    .poll(() => studio.inMain(({ Menu }) => Menu.getApplicationMenu()?.items.map(({ label }) => label) ?? []))
    .toContain('Bearbeiten');
  await looked('settings');

  await studio.go('#/');
  await expect(heading).toHaveText('Projekte');
  await looked('home');
  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  await at('seeds').fill('1 bis 1');
  await at('training-maxSteps').fill('6');
  await at('training-batchSize').fill('8');
  await at('training-maxLength').fill('16');
  await expect(at('trainable-count')).toContainText(/\d/);
  await expect(at('train')).toContainText('2 Läufe trainieren');
  await looked('models');
  await at('train').click();
  await expect(at('run-state')).toHaveAttribute('data-state', 'finished', slow);
  await looked('run');
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  await expect
    .poll(async () => (await studio.call('runs.list', { projectId })).map((run) => run.state), slow)
    .toEqual(['finished', 'finished']);
  await at('run-compare').click();
  await expect(at('comparison-table')).toBeVisible(slow);
  await looked('compare');

  for (const [section, title] of [
    ['data', 'Daten'],
    ['data/import', 'Daten importieren'],
    ['runs', 'Läufe'],
    ['studies', 'Studien'],
    ['studies/new', 'Neue Studie'],
    ['studies/advice', 'Empfehlung'],
    ['playground', 'Playground'],
    ['compose', 'Kombinieren'],
    ['exports', 'Exporte'],
  ]) {
    await studio.go(`#/project/${projectId}/${section}`);
    await expect(heading).toHaveText(title ?? '');
    await looked(section?.replace('/', '-') ?? '');
  }
  await studio.go('#/help/start');
  await expect(heading).toHaveText('Erste Schritte');
  await looked('help');
  await at('help-search').fill('Singulärwertzerlegung');
  await at('help-results').getByRole('link').first().click();
  await expect(heading).toHaveText('AdaLoRA');
  await expect(at('help-text')).toContainText('Was trainiert wird.');
  await expect(at('help-foreign')).toHaveCount(0);
  await looked('help-method');
  await studio.go('#/help/start');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog')).toBeVisible();
  await looked('commands');
  await page.keyboard.press('Escape');

  // The next start begins in German, before the studio has answered.
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(heading).toHaveText('Erste Schritte');
  expect(studio.complaints).toEqual([]);
});
