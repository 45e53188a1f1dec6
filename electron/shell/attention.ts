/**
 * What the app does while nobody looks: it tells when a run or a study ends, and keeps the computer awake while one trains. No
 * Electron here, so it is tested in plain Node.
 */
import type { StudioEvent } from '../contract/calls.js';
import type { Run, Settings, Study } from '../contract/entities.js';
import { mainInWords } from '../contract/score-words.js';
import { t } from '../language/index.js';

export interface Notice {
  readonly title: string;
  readonly body: string;
  /** Where a click on it leads. */
  readonly route: string;
}

export interface AttentionParts {
  readonly settings: () => Promise<Pick<Settings, 'notifications' | 'preventSleep'>>;
  /** Whether the user has the window in front. */
  readonly isWatched: () => boolean;
  readonly notify: (notice: Notice) => void;
  /** Holds the computer awake, or lets it sleep again. */
  readonly holdAwake: (awake: boolean) => void;
}

const trains = ({ state }: Pick<Run, 'state'>) => state === 'preparing' || state === 'running';

export class Attention {
  readonly #training = new Set<number>();
  readonly #studies = new Map<number, Study['state']>();
  #awake = false;

  constructor(private readonly parts: AttentionParts) {}

  /** Everything that the studio tells goes through here. */
  async hear(event: StudioEvent): Promise<void> {
    if (event.event === 'run') await this.#run(event.data);
    else if (event.event === 'study') await this.#study(event.data);
  }

  /** Settings may have changed. */
  async settle(): Promise<void> {
    const awake = this.#training.size > 0 && (await this.parts.settings()).preventSleep;
    if (awake === this.#awake) return;
    this.#awake = awake;
    this.parts.holdAwake(awake);
  }

  async #run(run: Run): Promise<void> {
    const before = this.#training.has(run.id);
    if (trains(run)) this.#training.add(run.id);
    else this.#training.delete(run.id);
    await this.settle();
    // What the user stopped by hand, and the runs of a study one by one, are no news.
    if (!before || trains(run) || run.study) return;
    const notice = noticeOfRun(run);
    if (notice) await this.#tell(notice);
  }

  async #study(study: Study): Promise<void> {
    const before = this.#studies.get(study.id);
    this.#studies.set(study.id, study.state);
    if (before !== 'running' || study.state === before) return;
    const notice = noticeOfStudy(study);
    if (notice) await this.#tell(notice);
  }

  async #tell(notice: Notice): Promise<void> {
    if (this.parts.isWatched() || !(await this.parts.settings()).notifications) return;
    this.parts.notify(notice);
  }
}

function noticeOfRun({ id, projectId, methodName, seed, state, result, problem, datasetName }: Run): Notice | null {
  const name = { name: methodName, seed };
  const route = `#/project/${projectId}/runs/${id}`;
  switch (state) {
    case 'finished':
      return {
        title: t('{name}, seed {seed}, is finished', name),
        body: result?.test
          ? t('Test {score} on {data}', { score: mainInWords(result.test), data: datasetName })
          : datasetName,
        route,
      };
    case 'failed':
    case 'interrupted':
      return { title: t('{name}, seed {seed}, has stopped', name), body: problem?.message ?? datasetName, route };
    default:
      return null;
  }
}

function noticeOfStudy({ id, projectId, name, state, problem }: Study): Notice | null {
  const route = `#/project/${projectId}/studies/${id}`;
  if (state === 'finished')
    return { title: t('The study {name} is finished', { name }), body: t('Its report can be read.'), route };
  if (state === 'failed' || state === 'interrupted')
    return { title: t('The study {name} has stopped', { name }), body: problem?.message ?? '', route };
  return null;
}
