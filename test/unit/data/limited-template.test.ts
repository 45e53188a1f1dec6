/** Chat templates of models that nobody should trust: each would loop, grow or nest until the process ends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChatTemplate, openTokenizer } from '../../../electron/data/index.js';
import { parseTemplate, renderTemplate, TemplateStopped } from '../../../electron/data/limited-template.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';

const messages = [
  { role: 'user', content: 'one\ntwo two' },
  { role: 'assistant', content: 'three' },
];
const numbers = Array.from({ length: 20_000 }, (_, index) => index);
const render = (text: string) => renderTemplate(parseTemplate(text), { messages, numbers, long: 'ab'.repeat(500_000) });

let folder: string;
beforeAll(async () => {
  folder = await makeTinyModel(join(await mkdtemp(join(tmpdir(), 'limited-')), 'model'));
});
afterAll(() => rm(join(folder, '..'), { recursive: true }));

describe('renderTemplate', () => {
  it.each([
    '{% for a in numbers %}{% for b in numbers %}{% set x = a + b %}{% endfor %}{% endfor %}',
    "{% set ns = namespace(x='ab') %}{% for a in numbers %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='ab') %}{% for a in numbers %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    '{% set ns = namespace(x=[1]) %}{% for a in numbers %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
    '{% set ns = namespace(x=[1]) %}{% for a in numbers %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}',
    "{% set ns = namespace(x=[1]) %}{% for a in numbers %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}",
    "{{ long | replace('a', long) }}",
    "{{ long.replace('a', long) }}",
    "{{ long.replace(old='a', new=long) }}",
    '{{ numbers | join(long) }}',
    '{{ long | indent(100000000, true) }}',
    '{% filter indent(100000000, true) %}{{ long }}{% endfilter %}',
    '{{ messages | tojson(indent=100000000) }}',
    '{% set ns = namespace(x=[]) %}{% for a in numbers %}{% set ns.x = ns.x + [long | upper] %}{% endfor %}',
    '{% set ns = namespace(x=[]) %}{% for a in numbers %}{% set ns.x = ns.x + [numbers | sort] %}{% endfor %}',
    '{% for a in numbers %}{{ long }}{% endfor %}',
    '{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}',
    '{% macro m(f) %}{{ f(f) ~ f(f) }}{% endmacro %}{{ m(m) }}',
    "{% set ns = namespace(x=['a']) %}{% for a in numbers %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
  ])('stops %s', (text) => {
    let thrown: unknown = null;
    try {
      render(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TemplateStopped);
  });

  it('refuses slices without a step, which would never end', () => {
    expect(() => render('{% set a = numbers[::0] %}')).toThrow('the step of a slice is 0');
  });

  it('leaves ordinary templates their filters, methods and slices', () => {
    const text = `{% for m in messages[::-1] %}{{ m.content.replace('two', '2') | replace('\\n', '') }}|{% endfor %}
{{- ['a', 'b'] | join(', ') }}|{{ 'x\\ny' | indent(2) }}|{{ {'a': [1, 'b']} | tojson }}|{{ messages | tojson(indent=1) }}
{%- filter replace('a', 'b') %}|aa{% endfilter %}|{{ 'a b'.split(' ')[1] }}|{{ numbers[2:4] }}|{{ 'aXbX'.replace('X', '', 1) }}`;
    expect(render(text)).toBe(
      `three|one2 2|a, b|x\n  y|{"a": [1, "b"]}|${JSON.stringify(messages, null, 1)}|bb|b|[2, 3]|abX`,
    );
  });

  it('takes long conversations', () => {
    const long = Array.from({ length: 2000 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: 'word '.repeat(100),
    }));
    const made = renderTemplate(
      parseTemplate(
        "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'].strip() | trim + '\\n' }}{% endfor %}",
      ),
      { messages: long },
    );
    expect(made.split('\n')).toHaveLength(2001);
  });
});

it('tells which model has a template that was stopped, and what to do', async () => {
  const tokenizer = await openTokenizer(folder);
  await writeFile(join(folder, 'chat_template.jinja'), '{% macro m(f) %}{{ f(f) }}{% endmacro %}{{ m(m) }}');
  const template = await openChatTemplate(folder, tokenizer);
  expect(() => template.render([{ role: 'user', content: 'hello' }])).toThrow(
    expect.objectContaining({
      code: 'bad-model',
      message: expect.stringMatching(/chat template in .*model \(chat_template\.jinja\) was stopped: /) as unknown,
      hint: expect.stringContaining('choose another base model') as unknown,
    }),
  );
});
