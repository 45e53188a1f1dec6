/** German: the window's texts, and sentences of the studio; the shell's own texts lie in shell.json. */
import type { Catalogue } from '../tongue.js';
import charts from './charts.json';
import chat from './chat.json';
import common from './common.json';
import compare from './compare.json';
import compose from './compose.json';
import data from './data.json';
import exports from './export.json';
import frame from './frame.json';
import help from './help.json';
import home from './home.json';
import models from './models.json';
import playground from './playground.json';
import registries from './registries.json';
import runs from './runs.json';
import sentencesOfStudio from './sentences.json';
import settings from './settings.json';
import studies from './studies.json';

const german: Catalogue = {
  ...charts,
  ...chat,
  ...common,
  ...compare,
  ...compose,
  ...data,
  ...exports,
  ...frame,
  ...help,
  ...home,
  ...models,
  ...playground,
  ...registries,
  ...runs,
  ...settings,
  ...studies,
};
export default german;
export const sentences: Catalogue = sentencesOfStudio;
