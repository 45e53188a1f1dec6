/** Every other kind of study in the real window: planned by its fields, run to its end, its report read in both themes. Quality has its own test. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';

const words = {
  red: ['ruby', 'scarlet', 'cherry', 'crimson'],
  blue: ['azure', 'navy', 'cobalt', 'sapphire'],
  green: ['emerald', 'olive', 'moss', 'jade'],
};
const things = { worn: ['a coat', 'a hat'], built: ['a wall', 'a door'], carried: ['a cup', 'a bag'] };
const rows = Object.entries(words).flatMap(([colour, names]) =>
  names.flatMap((name) =>
    Object.entries(things).flatMap(([use, ones]) => ones.map((thing) => [`${thing} of ${name}`, colour, use])),
  ),
);
/** Two tasks of the same few rows, where a sequence of tasks is asked for: a bundled sample has thousands to be tested on. */
const tasks = ['colour', 'use'] as const;

/** What each kind is asked for, and words that its report must hold, whatever comes of it. */
const kinds = {
  cost: { runs: '2 runs', fields: {}, tables: ['costs', 'storage'], verdict: /full fine-tuning's time of a step/ },
  'little-data': { runs: '4 runs', fields: { sizes: '2, 4' }, tables: ['gaps', 'crossings'], verdict: /LoRA/ },
  forgetting: { runs: '4 runs', fields: {}, tables: ['general', 'former'], verdict: /general text/ },
  inference: { runs: '2 runs', fields: {}, tables: ['merged', 'together'], verdict: /merged/ },
  portability: { runs: '12 runs', fields: {}, tables: ['transfer'], verdict: /fresh start/ },
} as const;

test('carries out a study of each kind and reads its report', async ({ studio, home }) => {
  test.setTimeout(1_500_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 300_000 };

  await at('try-sample').click();
  await expect(at('train')).toBeEnabled(slow);
  const projectId = (await studio.call('projects.list', {}))[0]?.id ?? 0;
  const file = path.join(home, 'rows.csv');
  await writeFile(file, [['text', ...tasks], ...rows].join('\n'));
  await studio.choose(file);
  await studio.call('files.choose', { kind: 'data' });
  for (const task of tasks)
    await studio.call('datasets.import', {
      task: 'classification',
      projectId,
      name: task,
      path: file,
      textColumn: 'text',
      labelColumn: task,
    });
  await expect.poll(async () => (await studio.call('datasets.list', { projectId })).length, slow).toBe(3);
  const general = path.join(home, 'general.txt');
  await writeFile(
    general,
    rows.map(([text]) => `There was ${text} in the house, and nobody had seen it before.`).join('\n'),
  );
  const sets = await studio.call('datasets.list', { projectId });

  for (const [kind, { runs, fields, tables, verdict }] of Object.entries(kinds))
    await test.step(kind, async () => {
      await studio.go(`#/project/${projectId}/studies/new`);
      await at(`kind-${kind}`).click();
      for (const [field, value] of Object.entries({ seeds: '1', rates: '0.003', sizes: 'all', ...fields }))
        await at(`study-${field}`).fill(value);
      for (const [field, value] of [
        ['maxSteps', '3'],
        ['batchSize', '8'],
        ['maxLength', '24'],
      ] as const)
        await at(`study-training-${field}`).fill(value);
      const [one] = tasks;
      for (const { id, name } of sets)
        await at(`study-data-${id}`).setChecked(
          name === one || (name === tasks[1] && (kind === 'portability' || kind === 'forgetting')),
        );
      if (kind === 'forgetting') {
        await studio.choose(general);
        await page.getByLabel('General text').click();
        await expect(page.getByText(general)).toBeVisible();
      }
      await expect(at('study-runs')).toHaveText(runs, { timeout: 30_000 });
      await studio.looked(`study-new-${kind}`, `the plan of ${kind}`);
      await at('study-start').click();
      await expect(at('study-progress')).toBeVisible(slow);
      await expect(at('study-state')).toContainText('Finished', { timeout: 600_000 });
      await expect(at('report-verdicts')).toContainText(verdict, slow);
      for (const table of tables) await expect(at(`report-table-${table}`).locator('tbody tr').first()).toBeVisible();
      await expect(at('report-part')).toHaveCount(0);
      await page.locator('main').evaluate((main) => main.scrollTo(0, 0));
      await studio.looked(`study-${kind}`, `the report of ${kind}`);
      await page.locator('main').evaluate((main) => main.scrollTo(0, 800));
      await studio.picture(`study-${kind}-below`);
    });
  expect(studio.complaints).toEqual([]);
});
