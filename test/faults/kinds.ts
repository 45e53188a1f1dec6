/** All kinds of faults. */
import { killApp } from './apps.js';
import { twoCopies } from './copies.js';
import { outOfMemory } from './devices.js';
import { diskError, fullDisk, fullTarget, pulledOut, readOnly } from './disks.js';
import type { Kind } from './kind.js';
import { killAtCall, killCommand, killMain, killTrainer, powerCut } from './kills.js';
import { clockJumps, suspended } from './times.js';

export const kinds: readonly Kind[] = [
  killTrainer,
  killMain,
  powerCut,
  killCommand,
  killAtCall,
  fullDisk,
  fullTarget,
  readOnly,
  diskError,
  pulledOut,
  clockJumps,
  suspended,
  twoCopies,
  outOfMemory,
  killApp,
];
