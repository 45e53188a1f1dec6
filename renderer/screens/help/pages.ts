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
import inference from './pages/inference.md?raw';
import labelWords from './pages/label-words.md?raw';
import littleData from './pages/little-data.md?raw';
import portability from './pages/portability.md?raw';
import pretraining from './pages/pretraining.md?raw';
import quality from './pages/quality.md?raw';
import rounds from './pages/rounds.md?raw';
import start from './pages/start.md?raw';
import studies from './pages/studies.md?raw';
import tasks from './pages/tasks.md?raw';
import writing from './pages/writing.md?raw';

export interface HelpPage {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export const pages: readonly HelpPage[] = [
  { id: 'start', title: 'First steps', text: start },
  { id: 'data', title: 'Data', text: data },
  { id: 'tasks', title: 'Tasks', text: tasks },
  { id: 'writing', title: 'Writing text', text: writing },
  { id: 'devices', title: 'Devices', text: devices },
  { id: 'comparison', title: 'Comparison', text: comparison },
  { id: 'studies', title: 'Studies', text: studies },
  { id: 'quality', title: 'Study: quality gap', text: quality },
  { id: 'little-data', title: 'Study: little data', text: littleData },
  { id: 'cost', title: 'Study: cost', text: cost },
  { id: 'forgetting', title: 'Study: forgetting', text: forgetting },
  { id: 'portability', title: 'Study: portability', text: portability },
  { id: 'inference', title: 'Study: combined at inference', text: inference },
  { id: 'advice', title: 'Advice: what to ship', text: advice },
  { id: 'label-words', title: 'Label words', text: labelWords },
  { id: 'composition', title: 'Composition', text: composition },
  { id: 'rounds', title: 'Rounds', text: rounds },
  { id: 'pretraining', title: 'Pretraining', text: pretraining },
  { id: 'chat', title: 'Chat', text: chat },
  { id: 'command-line', title: 'Command line', text: command },
];
