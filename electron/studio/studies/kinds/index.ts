/** The table of kinds: one file each. */
import type { StudyKind } from '../../../contract/study.js';
import { cost } from './cost.js';
import type { StudyKindSpec } from './kind.js';
import { forgetting } from './forgetting.js';
import { inference } from './inference.js';
import { littleData } from './little-data.js';
import { portability } from './portability.js';
import { quality } from './quality.js';

export const kinds: { readonly [K in StudyKind]: StudyKindSpec } = {
  quality,
  'little-data': littleData,
  cost,
  forgetting,
  portability,
  inference,
};

export const kindOf = (kind: StudyKind): StudyKindSpec => kinds[kind];
