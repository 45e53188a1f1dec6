/** All that reads what others wrote. */
import type { Subject } from '../subject.js';
import { adapterSubject } from './adapters.js';
import { dataSubjects } from './data.js';
import { modelSubjects } from './models.js';
import { planSubject, reportSubject } from './plans.js';
import { projectSubject } from './project.js';
import { resultSubject } from './result.js';

export const subjects: readonly Subject[] = [
  ...dataSubjects,
  ...modelSubjects,
  adapterSubject,
  planSubject,
  reportSubject,
  projectSubject,
  resultSubject,
];
