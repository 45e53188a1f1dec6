/** A reader with every fault that a session looks for, to see that it finds them; it takes part only when it is named. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { StudioError } from '../../../electron/contract/errors.js';
import type { Subject } from '../subject.js';

const held: Buffer[] = [];
const faults: Readonly<Record<string, (folder: string) => void>> = {
  refuse: () => {
    throw new StudioError('bad-file', 'It is refused.', 'Choose another.');
  },
  throw: () => {
    throw new TypeError('not typed');
  },
  advise: () => {
    throw new StudioError('bad-file', 'There is no remedy.');
  },
  hang: () => {
    for (;;);
  },
  abort: () => process.abort(),
  write: (folder) => writeFileSync(join(folder, '..', '..', 'escaped'), String(Math.random())),
  allocate: () => void held.push(Buffer.alloc(400 << 20, 1)),
};

export const faultySubject: Subject = {
  name: 'faulty',
  share: 1,
  seeds: async () => [],
  made: fc.constantFrom(...Object.keys(faults)).map((fault) => new Map([['fault', Buffer.from(fault)]])),
  read: async (folder) => faults[readFileSync(join(folder, 'fault'), 'utf8')]?.(folder),
};
