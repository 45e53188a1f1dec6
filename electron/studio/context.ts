/** What all groups of calls share. */
import { join } from 'node:path';
import type { EventData, EventName, StudioEvent } from '../contract/calls.js';
import type { Database, Presence } from '../storage/index.js';
import type { DeviceTests } from './devices.js';
import type { Log } from './log/index.js';
import type { Jobs } from './jobs.js';
import type { SpawnTrainer } from './trainer-port.js';
import type { Unwritten } from './unwritten.js';

export interface Context {
  readonly database: Database;
  /** Folder of database, runs and materialized data. */
  readonly home: string;
  /** Folder of the bundled starter model and samples. */
  readonly assets: string;
  readonly spawnTrainer: SpawnTrainer;
  readonly jobs: Jobs;
  readonly devices: DeviceTests;
  /** This process among those that work in the folder. */
  readonly presence: Presence;
  readonly unwritten: Unwritten;
  /** What the user can send: see log/. */
  readonly log: Log;
  readonly emit: <N extends EventName>(event: N, data: EventData<N>) => void;
}

export type Emit = (event: StudioEvent) => void;

export const now = () => new Date().toISOString();
export const runFolder = (home: string, runId: number) => join(home, 'runs', String(runId));
export const datasetFolder = (home: string, datasetId: number) => join(home, 'datasets', String(datasetId));

export function changed(
  context: Pick<Context, 'emit'>,
  kind: EventData<'changed'>['kind'],
  projectId: number | null = null,
): void {
  context.emit('changed', { kind, projectId });
}
