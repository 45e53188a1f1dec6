/** Pages of the help that belong to no method. */
import advice from './pages/advice.md?raw';
import chat from './pages/chat.md?raw';
import command from './pages/command.md?raw';
import comparison from './pages/comparison.md?raw';
import composition from './pages/composition.md?raw';
import cost from './pages/cost.md?raw';
import data from './pages/data.md?raw';
import devices from './pages/devices.md?raw';
import forgetting from './pages/forgetting.md?raw';
import further from './pages/further.md?raw';
import inference from './pages/inference.md?raw';
import labelWords from './pages/label-words.md?raw';
import littleData from './pages/little-data.md?raw';
import memory from './pages/memory.md?raw';
import portability from './pages/portability.md?raw';
import pretraining from './pages/pretraining.md?raw';
import quality from './pages/quality.md?raw';
import rounds from './pages/rounds.md?raw';
import start from './pages/start.md?raw';
import studies from './pages/studies.md?raw';
import tasks from './pages/tasks.md?raw';
import writing from './pages/writing.md?raw';
import { mark } from '../../language.js';

import { measurePages } from './measures.js';
import { objectivePages } from './objectives.js';
import { problemPages } from './problems.js';
import { problemPage } from '../../state/help.js';
import type { ErrorCode } from '../../../electron/contract/index.js';

/** A page as it is written first, in English; told.ts has it in other languages. */
export interface HelpPage {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export const pages: readonly HelpPage[] = [
  { id: 'start', title: mark('First steps'), text: start },
  { id: 'data', title: mark('Data'), text: data },
  { id: 'tasks', title: mark('Tasks'), text: tasks },
  { id: 'writing', title: mark('Writing text'), text: writing },
  { id: 'devices', title: mark('Devices'), text: devices },
  { id: 'memory', title: mark('Memory and time'), text: memory },
  { id: 'comparison', title: mark('Comparison'), text: comparison },
  { id: 'studies', title: mark('Studies'), text: studies },
  { id: 'quality', title: mark('Study: quality gap'), text: quality },
  { id: 'little-data', title: mark('Study: little data'), text: littleData },
  { id: 'cost', title: mark('Study: cost'), text: cost },
  { id: 'forgetting', title: mark('Study: forgetting'), text: forgetting },
  { id: 'portability', title: mark('Study: portability'), text: portability },
  { id: 'inference', title: mark('Study: combined at inference'), text: inference },
  { id: 'advice', title: mark('Advice: what to ship'), text: advice },
  { id: 'label-words', title: mark('Label words'), text: labelWords },
  { id: 'composition', title: mark('Composition'), text: composition },
  { id: 'rounds', title: mark('Rounds'), text: rounds },
  { id: 'pretraining', title: mark('Pretraining'), text: pretraining },
  { id: 'further', title: mark('Taking it further'), text: further },
  { id: 'chat', title: mark('Chat'), text: chat },
  { id: 'command-line', title: mark('Command line'), text: command },
];

type Told = Omit<HelpPage, 'id'>;
const named = (table: Readonly<Record<string, Told>>, idOf: (name: string) => string): readonly HelpPage[] =>
  Object.entries(table).map(([name, page]) => ({ id: idOf(name), ...page }));

/** Pages that a table of the contract has one of for each entry, by what stands above them in the list. */
export const groups: readonly { readonly title: string; readonly pages: readonly HelpPage[] }[] = [
  { title: mark('Objectives'), pages: named(objectivePages, (name) => `objective-${name}`) },
  { title: mark('Measures'), pages: named(measurePages, (name) => `measure-${name}`) },
  { title: mark('When something goes wrong'), pages: named(problemPages, (code) => problemPage(code as ErrorCode)) },
];

export const allPages: readonly HelpPage[] = [...pages, ...groups.flatMap((group) => group.pages)];
