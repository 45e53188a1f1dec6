/** An open studio as commands use it. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Handlers, StudioEvent } from '../contract/calls.js';
import type { BaseModel, Dataset, Job } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import type { Output } from './output.js';

type Listener = (event: StudioEvent) => void;

/** What the studio tells by itself, to whoever listens just then. */
export class Events {
  readonly #listeners = new Set<Listener>();

  readonly emit = (event: StudioEvent): void => {
    for (const listener of this.#listeners) listener(event);
  };

  /** Returns the function that stops listening. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface Session {
  readonly handlers: Handlers;
  readonly events: Events;
  readonly out: Output;
  readonly projectName: string;
  /** Aborted when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** The session's project; it is made when it is first needed. */
export async function project({ handlers, projectName: name }: Session): Promise<{ readonly id: number }> {
  return (await handlers['projects.find']({ name })) ?? handlers['projects.create']({ name, description: '' });
}

/** A base model by its name, or a folder, which is then added. @throws StudioError 'not-found' */
export async function findModel(session: Session, wanted: string): Promise<BaseModel> {
  const known = await session.handlers['models.list']({});
  const found = known.find(({ name, folder }) => name === wanted || folder === resolve(wanted));
  if (found) return found;
  const isFolder = await stat(wanted).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (isFolder)
    return session.handlers['models.add']({
      folder: resolve(wanted),
      name: freeName(
        basename(resolve(wanted)),
        known.map(({ name }) => name),
      ),
    });
  throw new StudioError(
    'not-found',
    `model: there is no base model and no folder "${wanted}".`,
    `Known: ${known.map(({ name }) => name).join(', ')}. Add a folder with \`peft-studio model add FOLDER\`.`,
    { path: 'model' },
  );
}

/** `wish`, or with the first free number behind it. */
export function freeName(wish: string, taken: readonly string[]): string {
  let name = wish;
  for (let number = 2; taken.includes(name); number += 1) name = `${wish} ${number}`;
  return name;
}

/** @throws StudioError 'not-found' */
export async function findDataset(session: Session, projectId: number, wanted: string): Promise<Dataset> {
  const sets = await session.handlers['datasets.list']({ projectId });
  const found = sets.find(({ name }) => name === wanted);
  if (found) return found;
  throw new StudioError(
    'not-found',
    `The project "${session.projectName}" has no data set "${wanted}".`,
    sets.length > 0
      ? `It has: ${sets.map(({ name }) => name).join(', ')}.`
      : 'Add one with `peft-studio data add FILE --name NAME …`.',
    { path: 'data' },
  );
}

/** Progress of a job in its own words, for {@link finishJob}. */
export const tellJob =
  ({ out }: Pick<Session, 'out'>) =>
  (event: StudioEvent): void => {
    if (event.event === 'job') out.progress(event.data.message);
  };

/** Progress of devices being tested; the number of that job while it runs, null for any other event. */
export function tellDeviceTest({ out }: Pick<Session, 'out'>, event: StudioEvent): string | null {
  if (event.event !== 'job' || event.data.kind !== 'device-test' || event.data.state !== 'running') return null;
  if (event.data.message) out.progress(`${event.data.title}: ${event.data.message}`);
  return event.data.id;
}

/**
 * Starts something and hears the studio's events until one of them is the answer; events that come before `start` is done wait for it.
 * @param hear the answer, or undefined while it is still to come
 * @param interrupt what Ctrl-C does, not before `start` is done
 * @param already the answer where there is nothing to wait for
 */
export async function follow<S, T>(
  { events, interrupted }: Pick<Session, 'events' | 'interrupted'>,
  start: () => Promise<S>,
  hear: (event: StudioEvent, started: S) => T | undefined,
  interrupt: (started: S) => void,
  already: (started: S) => T | undefined = () => undefined,
): Promise<T> {
  let started: { readonly is: S } | null = null;
  let settle: (answer: T) => void = () => undefined;
  const end = new Promise<T>((resolve) => (settle = resolve));
  const early: StudioEvent[] = [];
  const take = (event: StudioEvent) => {
    if (started === null) return void early.push(event);
    const answer = hear(event, started.is);
    if (answer !== undefined) settle(answer);
  };
  const stop = () => started !== null && interrupt(started.is);
  const unlisten = events.listen(take);
  interrupted.addEventListener('abort', stop, { once: true });
  try {
    started = { is: await start() };
    const answer = already(started.is);
    if (answer !== undefined) return answer;
    for (const event of early) take(event);
    if (interrupted.aborted) stop();
    return await end;
  } finally {
    unlisten();
    interrupted.removeEventListener('abort', stop);
  }
}

/**
 * Starts a job and waits for its end; `onEvent` hears everything meanwhile. Ctrl-C cancels it.
 * @throws StudioError of the job
 */
export async function finishJob(
  session: Session,
  start: () => Promise<{ jobId: string }>,
  onEvent: (event: StudioEvent, jobId: string) => void = () => undefined,
): Promise<Job> {
  const job = await follow(
    session,
    start,
    (event, { jobId }) => {
      onEvent(event, jobId);
      const ended = event.event === 'job' && event.data.id === jobId && event.data.state !== 'running';
      return ended ? event.data : undefined;
    },
    ({ jobId }) => void session.handlers['jobs.cancel']({ jobId }),
  );
  if (job.state === 'done') return job;
  throw job.problem
    ? StudioError.fromProblem(job.problem)
    : new StudioError('cancelled', `${job.title} was cancelled.`);
}
