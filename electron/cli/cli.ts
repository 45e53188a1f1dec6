/** From the words of the command line to an exit code. */
import { resolve } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';
import { defaultHome } from '../studio/home.js';
import { appVersion, openStudio } from '../studio/index.js';
import type { SpawnTrainer } from '../studio/trainer-port.js';
import { advise } from './advise.js';
import { composeCommands } from './compose.js';
import { globalOptions, helpOf, overview, parse, type Command } from './command.js';
import { diagnose } from './diagnose.js';
import { generate } from './generate.js';
import { libraryCommands } from './library.js';
import { Output, type Streams } from './output.js';
import { pretrain } from './pretrain.js';
import { refine } from './refine.js';
import { runCommands } from './runs.js';
import { Events } from './session.js';
import { studyCommands } from './study.js';
import { furtherCommands } from './further.js';
import { useCommands } from './use.js';

export interface Surroundings {
  readonly streams: Streams;
  readonly spawnTrainer: SpawnTrainer;
  /** Folder of the bundled models and samples; the studio's own default where left out. */
  readonly assets?: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

export const commands: readonly Command[] = [
  ...libraryCommands,
  pretrain,
  ...runCommands,
  ...composeCommands,
  refine,
  generate,
  ...studyCommands,
  advise,
  ...useCommands,
  ...furtherCommands,
  diagnose,
];

/** Places of the first two words that are neither options nor their values; options of every command may stand in front. */
function firstWords(words: readonly string[]): number[] {
  const places: number[] = [];
  for (let at = 0; at < words.length && places.length < 2; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) places.push(at);
    else if (!word.includes('=') && globalOptions[word.slice(2)]?.value !== undefined) at += 1;
    else if (globalOptions[word.slice(2).split('=')[0] ?? ''] === undefined) break;
  }
  return places;
}

/** The command that the first one or two words name, and the words behind them. */
function findCommand(words: readonly string[]): { command: Command; rest: string[] } | null {
  const places = firstWords(words);
  for (const used of [places, places.slice(0, 1)]) {
    const name = used.map((at) => words[at]).join(' ');
    const command = commands.find((one) => one.name === name);
    if (command) return { command, rest: words.filter((_, at) => !used.includes(at)) };
  }
  return null;
}

function unknownCommand(words: readonly string[]): StudioError {
  const [first, second] = firstWords(words).map((at) => words[at]);
  if (first === undefined) return new StudioError('bad-input', 'A command is missing.', 'See peft-studio --help.');
  const group = commands.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  const named = group.length > 0 && second !== undefined ? `${first} ${second}` : first;
  return new StudioError(
    'bad-input',
    `There is no command "${named}".`,
    `Commands: ${(group.length > 0 ? group : commands.map(({ name }) => name)).join(', ')}. See peft-studio --help.`,
  );
}

/** Runs one command; never throws. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const out = new Output(words.includes('--json'), surroundings.streams);
  try {
    const found = findCommand(words);
    if (!found) {
      if (words.length === 0 || words.includes('--help') || words[0] === 'help') {
        out.event({ event: 'help', text: overview(commands) }, overview(commands));
        return 0;
      }
      if (words[0] === '--version' || words[0] === 'version') {
        const version = appVersion();
        out.event({ event: 'version', version }, `peft-studio ${version}`);
        return 0;
      }
      throw unknownCommand(words);
    }
    const { command, rest } = found;
    const input = parse(command, rest);
    if (input.has('help')) {
      out.event({ event: 'help', text: helpOf(command) }, helpOf(command));
      return 0;
    }
    const events = new Events();
    const { spawnTrainer, assets, interrupted } = surroundings;
    const home = resolve(input.text('home') ?? (process.env['PEFT_STUDIO_HOME'] || defaultHome()));
    const studio = await openStudio({
      home,
      spawnTrainer,
      emit: events.emit,
      startQueued: false,
      ...(assets === undefined ? {} : { assets }),
    });
    try {
      for (const { text } of (await studio.handlers['app.info']({})).notices) out.note(text);
      return await command.run(input, {
        handlers: studio.handlers,
        events,
        out,
        projectName: input.text('project') ?? 'Command line',
        interrupted,
      });
    } finally {
      await studio.close();
    }
  } catch (error) {
    out.error(problemOf(error));
    return 1;
  }
}
