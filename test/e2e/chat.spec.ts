/** A chat in the real window: a tiny decoder and a LoRA on it answer side by side, and the adapter is switched. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTinyDecoder, tinyAnswer, tinyInstructions, tinyQuestion } from '../helpers/tiny-decoder.js';
import { expect, test } from './harness.js';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
// Deadlines of single steps are for a loaded two-core machine.
const slow = { timeout: 180_000 };

test('chats with the base, the full fine-tuning and two adapters, switched without reading the base again', async ({
  studio,
  home,
}) => {
  test.setTimeout(480_000);
  const { page } = studio;
  const at = (id: string) => page.getByTestId(id);
  const folder = await makeTinyDecoder(path.join(home, 'tiny-llama'));
  const rows = path.join(home, 'rows.jsonl');
  await writeFile(rows, tinyInstructions(40));

  // What the dialogs grant, the window may use.
  for (const [chosen, kind] of [
    [folder, 'model-folder'],
    [rows, 'data'],
  ] as const) {
    await studio.choose(chosen);
    await studio.call('files.choose', { kind });
  }
  const { id: projectId } = await studio.call('projects.create', { name: 'House style' });
  const model = await studio.call('models.add', { folder });
  await studio.call('datasets.import', {
    task: 'generation',
    projectId,
    name: 'weather',
    path: rows,
    columns: { form: 'instruction', prompt: 'prompt', completion: 'completion' },
  });
  await studio.go(`#/project/${projectId}/playground`);
  await expect(at('playground-empty')).toBeVisible(slow);
  const lora = { type: 'lora', rank: 4, targetModules: ['q_proj', 'v_proj', 'o_proj', 'down_proj'] };
  const plan = (method: { type: string }, maxSteps: number, seed: number) => ({
    model: model.name,
    data: 'weather',
    objective: 'causal-lm' as const,
    method,
    training: { batchSize: 4, maxLength: 128, learningRate: 0.02, maxSteps, seed, exactMatchRows: 0 },
  });
  await expect.poll(async () => (await studio.call('datasets.list', { projectId })).length, slow).toBe(1);
  const plans = [plan(lora, 60, 1), plan(lora, 2, 2), plan({ type: 'full' }, 40, 1)];
  const [taught, untaught, full] = await studio.call('runs.start', { projectId, plans });
  await expect(at('playground-empty')).toContainText('on the way', slow);

  // The base and one run a method are chosen from the start, the lowest seed of it.
  await expect(at('writer-lora')).toBeVisible(slow);
  await expect(at('writer-base')).toBeVisible();
  await expect.poll(async () => (await studio.call('runs.get', { id: full?.id ?? 0 })).state, slow).toBe('finished');
  await expect(at('writer-full')).toBeVisible();
  for (const theme of ['light', 'dark'] as const) {
    await studio.theme(theme);
    await studio.expectAccessible(`an empty chat, ${theme}`);
  }

  await at('chat-tokens').fill('24');
  await at('chat-message').fill(tinyQuestion);
  await at('chat-message').press('Shift+Enter');
  await expect(at('chat-message')).toHaveValue(`${tinyQuestion}\n`);
  await at('chat-message').press('Enter');
  await expect(at('writer-lora-state')).toContainText('Done', slow);
  await expect(at('writer-lora-answer')).toHaveText(tinyAnswer);
  await expect(at('writer-base-answer')).not.toHaveText(tinyAnswer);
  await expect(at('writer-full-answer')).toHaveText(tinyAnswer, slow);
  await expect(at('writer-lora')).toContainText('tokens/s');
  await expect(at('writer-lora')).toContainText('trained weights only');
  await expect(at('writer-base')).toContainText('Read from the disk base');
  // The base may write longer than the others.
  await expect(at('chat-stop')).toBeHidden(slow);
  const said = (await at('writer-base-answer').textContent())?.trim() ?? '';

  // Another adapter of the same method: only what it trained is read, and it says something else.
  await at('choose-writers').click();
  await at(`pick-run-${taught?.id}`).uncheck();
  await at(`pick-run-${untaught?.id}`).check();
  await at('apply-writers').click();
  await expect(at('writer-lora')).toContainText('seed 2');
  await at('chat-message').fill(tinyQuestion);
  await at('chat-send').click();
  await expect(at('writer-lora-state')).toContainText(/Done|Cut off/, slow);
  await expect(at('writer-lora')).toContainText('trained weights only');
  await expect(at('writer-base')).toContainText('nothing, all was open');
  await expect(at('writer-lora-answer').last()).not.toHaveText(tinyAnswer);
  await studio.looked('chat', 'a chat');

  // Back: it is open still. A message is changed; what came after goes.
  await at('choose-writers').click();
  await at(`pick-run-${untaught?.id}`).uncheck();
  await at(`pick-run-${taught?.id}`).check();
  await at('apply-writers').click();
  await at('writer-lora').getByLabel('Change this message').first().click();
  await expect(at('chat-message')).toHaveValue(tinyQuestion);
  await at('chat-more').click();
  await at('chat-stop-texts').fill('fine');
  await studio.picture('chat-editing');
  await at('chat-message').press('Enter');
  await expect(at('writer-lora-state')).toContainText('Done', slow);
  await expect(at('writer-lora-answer')).toHaveText('It is');
  await expect(at('writer-lora')).toContainText('nothing, all was open');

  // One model answers once more, drawing: another text of the random base, while the others stand.
  await expect(at('chat-stop')).toBeHidden(slow);
  const once = await at('writer-base-answer').textContent();
  await at('chat-temperature').fill('2');
  await at('writer-base-again').click();
  await expect(at('chat-stop')).toBeHidden(slow);
  await expect(at('writer-base-state')).toContainText(/Done|Cut off/, slow);
  expect(await at('writer-base-answer').textContent()).not.toBe(once);
  await expect(at('writer-lora-answer')).toHaveText('It is');
  await at('chat-temperature').fill('0');
  await page.getByLabel('Copy the answer').first().click();
  await expect(page.getByLabel('Copied')).toBeVisible();
  // A new conversation; Esc ends what is being written, and what stands there stays. The base would go on for 361 tokens here.
  await at('chat-clear').click();
  await expect(at('writer-lora-answer')).toHaveCount(0);
  await at('chat-stop-texts').fill('');
  await at('chat-tokens').fill('400');
  await at('chat-system').fill('Be brief.');
  await at('chat-message').fill('Who?');
  await at('chat-message').press('Enter');
  // Before it begins there is nothing to end.
  await at('chat-stop').waitFor();
  await page.keyboard.press('Escape');
  await expect(at('chat-stop')).toBeHidden(slow);
  await expect(at('writer-base-state')).toContainText('Stopped');
  const cut = (await at('writer-base-answer').textContent()) ?? '-';
  // What was said is there when the screen is opened again.
  await studio.go(`#/project/${projectId}/runs`);
  await expect(at('runs-list')).toBeVisible();
  await studio.go(`#/project/${projectId}/playground`);
  expect(await at('writer-base-answer').textContent()).toBe(cut);

  // A run that sorts texts in the same project: both playgrounds are there.
  const topics = path.join(home, 'topics.csv');
  await writeFile(topics, 'text,label\ngood,a\nbad,b\nfine,a\nworse,b\n');
  await studio.choose(topics);
  await studio.call('files.choose', { kind: 'data' });
  await studio.call('datasets.import', {
    task: 'classification',
    projectId,
    name: 'topics',
    path: topics,
    textColumn: 'text',
    labelColumn: 'label',
    validation: null,
    test: null,
  });
  await expect.poll(async () => (await studio.call('datasets.list', { projectId })).length, slow).toBe(2);
  const sorts = { model: model.name, data: 'topics', method: lora, training: { maxSteps: 1, maxLength: 16 } };
  await studio.call('runs.start', { projectId, plans: [sorts] });
  await expect(at('playground-kind')).toBeVisible(slow);
  await at('playground-kind').getByText('Chat').click();
  await expect(at('chat-message')).toBeVisible();
  await studio.picture('chat-both');
  await at('playground-kind').getByText('Read').click();
  await expect(at('playground-text')).toBeVisible();
  expect(studio.complaints).toEqual([]);

  // The command says the same.
  await studio.close();
  const generate = async (...words: string[]) => {
    const command = path.join(root, 'electron/cli/peft-studio.mjs');
    const fixed = ['--prompt', tinyQuestion, '--max-new-tokens', '24', '--home', home, '--json'];
    const { stdout } = await execute(process.execPath, [command, 'generate', String(taught?.id), ...fixed, ...words]);
    const last: { text: string } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
    return last.text.trim();
  };
  expect(await generate()).toBe(tinyAnswer);
  expect(await generate('--base')).toBe(said);
});
