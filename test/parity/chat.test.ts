/** Chat templates against transformers: the text, the tokens, and which of them the assistant wrote. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { messageSchema } from '../../electron/contract/index.js';
import { openChatTemplate, openTokenizer, type LanguageTools } from '../../electron/data/index.js';
import { languageExamples } from '../../electron/data/language.js';
import { oracleFolder, oracleJson } from '../helpers/oracle.js';

const { cases } = oracleJson(
  z.object({
    cases: z.array(
      z.object({
        name: z.string(),
        bos: z.string().nullable(),
        eos: z.string(),
        template: z.string(),
        conversations: z.array(
          z.object({
            messages: z.array(messageSchema),
            text: z.string(),
            prompt: z.string(),
            ids: z.array(z.number()),
            mask: z.array(z.number()),
          }),
        ),
      }),
    ),
  }),
  'chat',
  'cases.json',
);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'chat-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A folder with the fixture's tokenizer and a template, in one of the two places where models have it. */
async function toolsOf(template: string | null, tokens: object = {}, alone = false): Promise<LanguageTools> {
  const folder = await mkdtemp(join(root, 'model-'));
  await copyFile(join(oracleFolder, 'chat', 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const own = template === null || alone ? {} : { chat_template: template };
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ ...tokens, ...own }));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'llama', eos_token_id: 0 }));
  if (alone && template !== null) await writeFile(join(folder, 'chat_template.jinja'), template);
  const tokenizer = await openTokenizer(folder);
  return { tokenizer, template: await openChatTemplate(folder, tokenizer) };
}

describe.each(cases)('$name', ({ name, bos, eos, template, conversations }) => {
  it.each(conversations.map((conversation, i) => [i, conversation] as const))(
    'conversation %i: text, prompt, tokens and mask',
    async (i, { messages, text, prompt, ids, mask }) => {
      const tools = await toolsOf(template, { bos_token: bos, eos_token: eos }, i % 2 === 1);
      expect(tools.template.source).toBe(i % 2 === 1 ? 'chat_template.jinja' : 'tokenizer_config.json');
      expect(tools.template.render(messages)).toBe(text);
      expect(tools.template.render(messages.slice(0, -1), true)).toBe(prompt);
      const [example] = await languageExamples([{ id: 1, text: '', messages }], tools, true);
      expect([...(example?.ids ?? [])]).toEqual(ids);
      expect([...(example?.trained ?? [])], name).toEqual(mask);
      const [whole] = await languageExamples([{ id: 1, text: '', messages }], tools, false);
      // Of the first token nothing comes before.
      expect([...(whole?.trained ?? [])]).toEqual(ids.map((_, at) => (at === 0 ? 0 : 1)));
    },
  );
});

describe('templates that do not behave', () => {
  const question = [{ role: 'user', content: 'Hi' }] as const;
  it('says what a template refuses, naming the row', async () => {
    const llama2 = cases.find(({ name }) => name === 'llama2');
    const tools = await toolsOf(llama2?.template ?? '', { bos_token: '<s>', eos_token: '</s>' });
    const twice = [...question, ...question, { role: 'assistant', content: 'Hello' }] as const;
    await expect(languageExamples([{ id: 7, text: '', messages: twice }], tools, true)).rejects.toMatchObject({
      code: 'bad-data',
      message: expect.stringMatching(/^Row 7: .*Roles must alternate/) as unknown,
    });
  });
  it('ends one that would not end, and one that would fill the memory', async () => {
    const loop = await toolsOf('{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}');
    expect(() => loop.template.render(question)).toThrow(/takes longer than 5 s/);
    const range = await toolsOf('{{ range(1000000000) | length }}');
    expect(() => range.template.render(question)).toThrow(/range\(\) of more than/);
  }, 20_000);
  it('names the file of one that is no template', async () => {
    await expect(toolsOf('{% for %}')).rejects.toMatchObject({
      code: 'bad-model',
      context: { file: 'tokenizer_config.json' },
    });
  });
  it('says that an answer cannot be found where the template changes it', async () => {
    const tools = await toolsOf('{% for m in messages %}{{ m.content | upper }}{% endfor %}');
    const messages = [...question, { role: 'assistant', content: 'Hello' }] as const;
    await expect(languageExamples([{ id: 1, text: '', messages }], tools, true)).rejects.toMatchObject({
      code: 'bad-data',
      hint: expect.stringContaining('completionOnlyLoss') as unknown,
    });
  });
});

describe('a base without a template', () => {
  it('gets the plain one, whose answers end with the end-of-text token; texts end so too', async () => {
    const tools = await toolsOf(null, { eos_token: '<|endoftext|>' });
    const messages = [
      { role: 'system', content: 'Be short.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ] as const;
    const rows = [
      { id: 1, text: '', messages },
      { id: 2, text: 'Once upon', messages: null },
    ];
    const [chat, text] = await languageExamples(rows, tools, true);
    expect(chat?.text).toBe('Be short.\n\n### Instruction:\nHi\n\n### Response:\nHello<|endoftext|>');
    const trained = [...(chat?.ids ?? [])].filter((_, at) => chat?.trained[at] === 1);
    expect(await tools.tokenizer.text(trained)).toBe('Hello<|endoftext|>');
    expect(text?.text).toBe('Once upon<|endoftext|>');
    expect([...(text?.trained ?? [])].slice(0, 3)).toEqual([0, 1, 1]);
  });
});
