import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commands, runCommandLine } from '../../../electron/cli/cli.js';
import { globalOptions, helpOf, overview, parse, type Command } from '../../../electron/cli/command.js';

const command: Command = {
  name: 'bake cake',
  arguments: 'FLOUR [EGG]',
  positionals: [1, 2],
  about: 'Bakes.',
  options: {
    heat: { value: 'DEGREES', about: 'How hot', required: true },
    shape: { value: 'SHAPE', about: 'Its form', choices: ['round', 'square'] },
    gently: { about: 'With care' },
  },
  run: () => Promise.resolve(0),
};
const refusal = (words: readonly string[]) => {
  try {
    parse(command, words);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('parse', () => {
  it('takes options before, between and behind arguments', () => {
    const input = parse(command, ['--heat', '180', 'rye', '--gently', 'two', '--json']);
    expect(input.positionals).toEqual(['rye', 'two']);
    expect(input.text('heat')).toBe('180');
    expect([input.has('gently'), input.has('json'), input.has('help')]).toEqual([true, true, false]);
    expect(input.text('shape')).toBeNull();
    expect(parse(command, ['rye', '--heat=180', '--', '--two']).positionals).toEqual(['rye', '--two']);
  });

  it.each([
    [['rye'], /needs --heat DEGREES/],
    [['--heat', '180'], /needs FLOUR/],
    [['a', 'b', 'c', '--heat', '1'], /does not take "c"/],
    [['a', '--heat'], /--heat/],
    [['a', '--heat', '1', '--speed', '2'], /'--speed'/],
    [['a', '--heat', '1', '--gently=yes'], /--gently/],
    [['a', '--heat', '1', '--shape', 'oval'], /one of round, square/],
  ])('refuses %j', (words, message) => expect(refusal(words)).toMatch(message));

  it('asks for nothing where help is wanted', () => expect(parse(command, ['--help']).has('help')).toBe(true));

  it('reads numbers in their range only', () => {
    const heat = (text: string) => parse(command, ['a', `--heat=${text}`]).number('heat', 0, 300, true);
    expect(heat('180')).toBe(180);
    for (const text of ['', ' ', '1.5', '301', '-1', 'hot', 'NaN', 'Infinity'])
      expect(() => heat(text)).toThrow('a whole number from 0 to 300');
  });

  it('knows a run by its number', () => {
    expect(parse(command, ['12', '--heat', '1']).id(0)).toBe(12);
    for (const text of ['0', '1.0', 'x', '1e3', '99999999999999999999'])
      expect(() => parse(command, [text, '--heat', '1']).id(0)).toThrow('not the number of a run');
  });
});

describe('help', () => {
  it('shows every command and every option of each', () => {
    for (const one of commands) {
      expect(overview(commands)).toContain(`  ${one.name} ${one.arguments}`.trimEnd());
      for (const option of Object.keys({ ...one.options, ...globalOptions }))
        expect(helpOf(one)).toContain(`--${option}`);
    }
  });

  it('has the commands of the reference', () => {
    expect(commands.map(({ name }) => name)).toEqual([
      'model add',
      'model list',
      'data add',
      'data list',
      'data show',
      'pretrain',
      'run',
      'resume',
      'compare',
      'compose',
      'merge-check',
      'refine',
      'generate',
      'study',
      'study list',
      'study report',
      'advise',
      'predict',
      'words',
      'export',
      'devices',
      'benchmark',
      'take-further',
      'take-back',
      'diagnose',
    ]);
  });
});

describe('the command line', () => {
  async function printed(words: readonly string[]) {
    let stdout = '';
    let stderr = '';
    const code = await runCommandLine(words, {
      streams: {
        stdout: (text) => {
          stdout += text;
        },
        stderr: (text) => {
          stderr += text;
        },
        terminal: false,
      },
      spawnTrainer: () => {
        throw new Error('no process is needed');
      },
      interrupted: new AbortController().signal,
    });
    return { code, stdout, stderr };
  }

  it('helps without opening a data folder', async () => {
    expect(await printed(['--help'])).toEqual({ code: 0, stdout: `${overview(commands)}\n`, stderr: '' });
    expect((await printed(['--home', '/nowhere/at/all', 'data', 'add', '--help'])).stdout).toContain(
      'peft-studio data add FILE --name NAME',
    );
    expect(JSON.parse((await printed(['run', '--help', '--json'])).stdout)).toMatchObject({
      event: 'help',
      text: expect.stringContaining('PLAN.json'),
    });
  });

  it('tells its version', async () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile('package.json', 'utf8')));
    expect(await printed(['--version'])).toEqual({ code: 0, stdout: `peft-studio ${version}\n`, stderr: '' });
    expect(JSON.parse((await printed(['version', '--json'])).stdout)).toEqual({ event: 'version', version });
  });

  it('tells errors on the stream of its reader', async () => {
    const human = await printed(['bake']);
    expect(human).toMatchObject({ code: 1, stdout: '' });
    expect(human.stderr).toContain('error: There is no command "bake".');
    const json = await printed(['bake', '--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual({
      event: 'error',
      message: 'There is no command "bake".',
      hint: expect.stringContaining('model add'),
    });
  });
});
