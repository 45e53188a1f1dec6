/** What a command is: its name, its options and what it does. Parsing and help both read the same table. */
import { parseArgs } from 'node:util';
import { StudioError } from '../contract/errors.js';
import type { Session } from './session.js';

export interface Option {
  /** Name of the value in the help ("FILE"); left out for a switch. */
  readonly value?: string;
  readonly about: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
}

export interface Command {
  /** One or two words: "data add". */
  readonly name: string;
  /** Positional arguments as the help writes them: "RUN…". */
  readonly arguments: string;
  /** Fewest and most positional arguments. */
  readonly positionals: readonly [number, number];
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  /** More for its own help, as lines. */
  readonly details?: () => readonly string[];
  /** Resolves with the exit code. */
  run(input: Arguments, session: Session): Promise<number>;
}

/** Options of every command. */
export const globalOptions: Readonly<Record<string, Option>> = {
  home: { value: 'DIR', about: "Folder with database and files; default: the app's own" },
  project: { value: 'NAME', about: 'Project the command works in; default: "Command line"' },
  json: { about: 'One JSON object a line on stdout and nothing else' },
  help: { about: 'Shows this help' },
};

export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: Readonly<Record<string, string | boolean | undefined>>,
  ) {}

  positional(index: number): string {
    const value = this.positionals[index];
    if (value === undefined) throw new StudioError('bad-input', 'An argument is missing.', 'See --help.');
    return value;
  }

  has(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string | null {
    const value = this.values[name];
    return typeof value === 'string' ? value : null;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === null) throw new StudioError('bad-input', `--${name} is missing.`, 'See --help.', { option: name });
    return value;
  }

  /** @throws StudioError 'bad-input' for what is not a number from `low` to `high` */
  number(name: string, low: number, high: number, integer = false): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high) || (integer && !Number.isInteger(value))) {
      throw new StudioError(
        'bad-input',
        `--${name} ${text}: must be a ${integer ? 'whole ' : ''}number from ${low} to ${high}.`,
        null,
        { option: name },
      );
    }
    return value;
  }

  /** A number of a run, model or data set in the database. */
  id(index: number): number {
    const text = this.positional(index);
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
      throw new StudioError(
        'bad-input',
        `"${text}" is not the number of a run.`,
        'Runs are named by the number that `run` prints first.',
        { argument: text },
      );
    return value;
  }
}

/** @throws StudioError 'bad-input' for an unknown option, a missing value, too few or too many arguments */
export function parse(command: Command, words: readonly string[]): Arguments {
  const all = { ...globalOptions, ...command.options };
  const usage = `Usage: peft-studio ${usageOf(command)}`;
  let parsed;
  try {
    parsed = parseArgs({
      args: joinNegative(words, all),
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(all).map(([name, option]) => [
          name,
          { type: option.value === undefined ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
    });
  } catch (error) {
    throw new StudioError(
      'bad-input',
      error instanceof Error ? error.message : String(error),
      usage,
      {},
      { cause: error },
    );
  }
  const input = new Arguments(parsed.positionals, { ...parsed.values });
  if (input.has('help')) return input;
  const [fewest, most] = command.positionals;
  if (parsed.positionals.length < fewest)
    throw new StudioError('bad-input', `${command.name} needs ${command.arguments}.`, usage);
  if (parsed.positionals.length > most)
    throw new StudioError('bad-input', `${command.name} does not take "${parsed.positionals[most]}".`, usage);
  for (const [name, option] of Object.entries(all)) {
    const value = input.text(name);
    if (option.required && value === null)
      throw new StudioError('bad-input', `${command.name} needs --${name} ${option.value ?? ''}.`, usage, {
        option: name,
      });
    if (value !== null && option.choices && !option.choices.includes(value))
      throw new StudioError('bad-input', `--${name} ${value}: must be one of ${option.choices.join(', ')}.`, usage, {
        option: name,
      });
  }
  return input;
}

/** "--seed -1" as "--seed=-1": a number below zero is the option's value, and no option of its own. */
function joinNegative(words: readonly string[], options: Command['options']): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1);
    if (/^-\.?\d/.test(word) && before?.startsWith('--') && options[before.slice(2)]?.value !== undefined)
      joined[joined.length - 1] = `${before}=${word}`;
    else joined.push(word);
  }
  return joined;
}

function usageOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    const text = `--${name}${option.value === undefined ? '' : ` ${option.value}`}`;
    return option.required ? text : `[${text}]`;
  });
  return [command.name, command.arguments, ...options].filter((part) => part !== '').join(' ');
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  const entries = Object.entries(options).map(
    ([name, option]) =>
      [
        `  --${name}${option.value === undefined ? '' : ` ${option.value}`}`,
        option.choices ? `${option.about} (${option.choices.join(', ')})` : option.about,
      ] as const,
  );
  const width = Math.max(...entries.map(([left]) => left.length));
  return entries.map(([left, about]) => `${left.padEnd(width)}  ${about}`);
}

export function helpOf(command: Command): string {
  const own = Object.keys(command.options).length > 0 ? ['', 'Options:', ...optionLines(command.options)] : [];
  return [
    `peft-studio ${usageOf(command)}`,
    '',
    command.about,
    ...own,
    ...(command.details ? ['', ...command.details()] : []),
    '',
    'Every command:',
    ...optionLines(globalOptions),
  ].join('\n');
}

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => `${command.name} ${command.arguments}`.length));
  return [
    'peft-studio: adapters beside full fine-tuning, trained and measured on this machine',
    '',
    ...commands.map(
      (command) =>
        `  ${`${command.name} ${command.arguments}`.trim().padEnd(width)}  ${command.about.split('. ')[0]?.replace(/\.$/, '')}`,
    ),
    '',
    'Every command:',
    ...optionLines(globalOptions),
    '',
    '`peft-studio COMMAND --help` shows the options of a command, `peft-studio --version` the version.',
  ].join('\n');
}
