/** Tagged words and questions on contexts in the real window: columns chosen, marks seen in the rows and in the answers of a run. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from './harness.js';

const people = ['Ann', 'Bob', 'Eve'];
const places = ['Rome', 'Oslo', 'Lima'];
const sentence = (i: number) => [
  [people[i % 3], 'S-person'],
  ['went', 'O'],
  ['to', 'O'],
  ['old', 'B-place'],
  [places[(i >> 1) % 3], 'E-place'],
  ['on', 'O'],
  ['day', 'O'],
  [String(i), 'O'],
];

test('imports, shows and trains tagged words and questions', async ({ studio, home }) => {
  test.setTimeout(420_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  // Deadlines of single steps are for a loaded two-core machine.
  const slow = { timeout: 180_000 };
  const project = await studio.call('projects.create', { name: 'Marks' });
  const importOf = async (name: string, content: string) => {
    const file = path.join(home, name);
    await writeFile(file, content);
    await studio.choose(file);
    await studio.go(`#/project/${project.id}/data/import`);
    await at('choose-file').click();
  };

  // Two columns of tags: the last that fits is suggested, and another can be chosen.
  const rows = Array.from({ length: 60 }, (_, i) => sentence(i));
  await importOf(
    'trips.conll',
    rows.map((words) => words.map(([word, tag]) => `${word}\tNN\t${tag}`).join('\n')).join('\n\n'),
  );
  await expect(at('marked-form')).toBeVisible(slow);
  await expect(at('part-tags')).toHaveValue('column 3');
  await at('part-tags').selectOption('column 2');
  await at('part-tags').selectOption('');
  await expect(at('import-missing')).toHaveText('Choose the column of the tags.');
  await at('part-tags').selectOption('column 3');
  await studio.looked('tagging-import', 'import of tagged words');
  await at('create-dataset').click();
  await expect(at('import-notes')).toContainText('BIOES', slow);
  const list = at('rows-list');
  await expect(list.locator('mark').first()).toContainText(/(Ann|Bob|Eve)person/);
  await at('rows-label').selectOption({ label: 'place' });
  await expect(at('rows-total')).toHaveText('60 of 60 rows');
  await studio.looked('tagging-data', 'a data set of tagged words');

  const questions = rows.map((words, i) => {
    const context = `${words.map(([word]) => word).join(' ')}.`;
    const place = `old ${places[(i >> 1) % 3]}`;
    return {
      question: i % 5 === 4 ? 'Who stayed?' : 'Where did they go?',
      context,
      answers: i % 5 === 4 ? [] : [{ text: place, answer_start: context.indexOf(place) }],
    };
  });
  await importOf('asked.jsonl', questions.map((row) => JSON.stringify(row)).join('\n'));
  await expect(at('part-question')).toHaveValue('question', slow);
  await at('part-answers').selectOption('');
  await expect(at('import-missing')).toHaveText('Choose the column of the answers.');
  await at('part-answers').selectOption('answers');
  await studio.looked('questions-import', 'import of questions');
  await at('create-dataset').click();
  await expect(at('rows-list').locator('mark').first()).toContainText(/old (Rome|Oslo|Lima)/, slow);
  await at('rows-label').selectOption({ label: 'unanswerable' });
  await expect(at('rows-total')).toHaveText('12 of 60 rows');
  await at('rows-label').selectOption({ label: 'answerable' });
  await expect(at('rows-total')).toHaveText('48 of 60 rows');
  await at('rows-list').getByRole('button').first().click();
  await expect(page.getByRole('dialog').locator('mark')).toHaveCount(1);
  await studio.looked('questions-row', 'a question in full');
  await page.keyboard.press('Escape');

  const plan = (data: string, maxSteps: number) => ({
    model: 'Starter',
    data,
    method: { type: 'full' },
    training: { maxSteps, batchSize: 8, maxLength: 32, learningRate: 0.001, seed: 1 },
  });
  await studio.call('runs.start', { projectId: project.id, plans: [plan('trips', 60), plan('asked', 4)] });
  await expect
    .poll(async () => (await studio.call('runs.list', { projectId: project.id })).map(({ state }) => state), slow)
    .toEqual(['finished', 'finished']);
  const [asked, tagged] = await studio.call('runs.list', { projectId: project.id });
  await studio.go(`#/project/${project.id}/playground/${tagged?.id ?? 0}`);
  await at('choose-readers').click();
  await at(`reader-${asked?.id}`).uncheck();
  await at(`reader-${tagged?.id}`).check();
  await at('apply-readers').click();
  await at('playground-text').fill('Eve went to old Lima on day 7');
  await at('playground-read').click();
  const marked = at('answer-full-marked');
  await expect(marked.locator('mark')).toHaveText(['Eveperson', 'old Limaplace'], slow);
  await at('take-test-row').click();
  await expect(at('playground-source')).toBeVisible();
  await at('playground-read').click();
  await expect(at('answer-full')).toContainText('Against the entities in the data', slow);
  await expect(at('answer-full')).toContainText('right');
  await studio.looked('tagging-playground', 'entities found');
  expect(asked?.plan.data).toBe('asked');
  expect(studio.complaints).toEqual([]);
});
