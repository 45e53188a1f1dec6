/** The table of kinds: one file each, null for one that this version does not have. */
import type { StudyKind } from '../../../contract/study.js';
import { StudioError } from '../../../contract/errors.js';
import { cost } from './cost.js';
import type { StudyKindSpec } from './kind.js';
import { inference } from './inference.js';
import { littleData } from './little-data.js';
import { portability } from './portability.js';
import { quality } from './quality.js';

export const kinds: { readonly [K in StudyKind]: StudyKindSpec | null } = {
  quality,
  'little-data': littleData,
  cost,
  forgetting: null,
  portability,
  inference,
};

/** Throws StudioError 'bad-input' for a kind that this version does not have. */
export function kindOf(kind: StudyKind): StudyKindSpec {
  const spec = kinds[kind];
  if (spec) return spec;
  const built = Object.values(kinds).flatMap((one) => one?.kind ?? []);
  throw new StudioError(
    'bad-input',
    `kind: this version cannot run studies of the kind "${kind}" yet.`,
    `Choose one of: ${built.join(', ')}.`,
    { path: 'kind' },
  );
}
