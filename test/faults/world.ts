/** What all faults of a session share: the built programs, inputs, data folders to begin from, and what each work makes undisturbed. */
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { importRequestSchema } from '../../electron/contract/entities.js';
import { planSchema } from '../../electron/contract/plan.js';
import { buildCommand, removeCommand } from '../helpers/command.js';
import { makeTinyModel, tinyRows, uniforms } from '../helpers/tiny-model.js';
import { Copy, type CopyOptions } from './copy.js';
import { requireWhole } from './inspect.js';
import type { Pace } from './moments.js';
import { printOf, setStage, type Stage } from './stage.js';
import { planFiles, projectId, trainPlan, works, type Work, type WorkName } from './works.js';

interface Rehearsed extends Pace {
  readonly facts: unknown;
}

export class World {
  readonly #rehearsed = new Map<WorkName, Rehearsed>();
  #inputsPrint = '';
  #stages = 0;
  /** Its start costs no time when it is wanted. */
  #spare: Promise<Copy> | null = null;

  private constructor(readonly folder: string) {}

  get inputs(): string {
    return join(this.folder, 'inputs');
  }

  static async make(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'faults-')));
    // Some copies are started as another user.
    await chmod(world.folder, 0o755);
    await buildCommand({ host: 'test/faults/host.ts' });
    const { inputs } = world;
    const at = (name: string) => join(inputs, name);
    await mkdir(inputs, { recursive: true });
    await makeTinyModel(at('tiny'));
    await makeTinyModel(at('wide'), { hiddenSize: 128, intermediateSize: 512 });
    const csv = (count: number) =>
      ['text,topic', ...tinyRows(count).map(({ text, label }) => `${text},${label}`)].join('\n');
    await writeFile(at('rows.csv'), csv(120));
    await writeFile(at('many.csv'), csv(2500));
    for (const [name, plan] of Object.entries(planFiles)) await writeFile(at(name), JSON.stringify(plan));

    const old = world.template('old');
    await cp('test/fixtures/first-version', old, { recursive: true });
    const home = world.template('ready');
    const copy = await Copy.start();
    await copy.open(home);
    // Faults are many and small: threads would only wait for each other.
    await copy.call('settings.set', { threads: 1 });
    await copy.call('projects.create', { name: 'Trial', description: '' });
    for (const name of ['tiny', 'wide']) await copy.call('models.add', { folder: at(name), name });
    await copy.finished(
      await copy.call(
        'datasets.import',
        importRequestSchema.parse({
          projectId,
          name: 'rows',
          path: at('rows.csv'),
          textColumn: 'text',
          labelColumn: 'topic',
          validation: 0.2,
          test: 0.2,
        }),
      ),
    );
    const plan = planSchema.parse({ ...trainPlan, training: { ...trainPlan.training, maxSteps: 6 } });
    const [run] = await copy.call('runs.start', { projectId, plans: [plan], initFolder: null });
    const { state, problem } = await copy.runEnded(run?.id ?? 0);
    if (state !== 'finished') throw new Error(`No run to begin from: ${JSON.stringify(problem)}`);
    await copy.finished(await copy.call('projects.export', { id: projectId, path: at('trial.zip') }));
    await copy.close();
    world.#inputsPrint = await printOf(inputs);
    return world;
  }

  template(name: Work['template']): string {
    return join(this.folder, name);
  }

  async remove(): Promise<void> {
    await (await this.#spare?.catch(() => null))?.kill();
    await rm(this.folder, { recursive: true, force: true });
    await removeCommand();
  }

  /** Starts a copy ahead, for when the one that is worked with is gone. */
  startAhead(): void {
    this.#spare ??= Copy.start();
    this.#spare.catch(() => undefined);
  }

  /** A copy of the app with nothing open. */
  async copy(options?: CopyOptions): Promise<Copy> {
    if (options) return Copy.start(options);
    const spare = this.#spare ?? Copy.start();
    this.#spare = null;
    return spare;
  }

  /** A copy of the app with this data folder open. */
  async opened(home: string, options?: CopyOptions): Promise<Copy> {
    const copy = await this.copy(options);
    await copy.open(home);
    return copy;
  }

  /** @param home where its data folder is to be, where that is a disk of its own */
  async stage(work: Work, seed: number, home?: string): Promise<Stage> {
    const folder = join(this.folder, `stage-${(this.#stages += 1)}`);
    await mkdir(folder);
    return setStage(folder, this.template(work.template), this.inputs, uniforms(seed), home);
  }

  /** What a work takes and makes when nothing disturbs it; done once. */
  async rehearsed(name: WorkName): Promise<Rehearsed> {
    const known = this.#rehearsed.get(name);
    if (known) return known;
    const work = works[name];
    const stage = await this.stage(work, 0);
    const copy = work.template === 'old' ? await this.copy() : await this.opened(stage.home);
    const before = copy.events.length;
    const started = performance.now();
    await work.begin(copy, stage);
    const pace = { milliseconds: performance.now() - started, events: copy.events.length - before };
    await work.goOn(copy, stage);
    const facts = await work.facts(copy, stage);
    await copy.shut();
    await this.#keep(copy);
    await requireWhole(stage.home, stage.outside);
    await this.#clear(stage);
    const made = { ...pace, facts };
    this.#rehearsed.set(name, made);
    return made;
  }

  /**
   * Takes what a fault left to its end in `copy`, closes that, and checks all that must hold. Returns what was found.
   * @throws Error of what was lost
   */
  async settle(name: WorkName, copy: Copy, stage: Stage): Promise<string> {
    const work = works[name];
    const { facts } = await this.rehearsed(name);
    const found = await work.goOn(copy, stage);
    const now = await work.facts(copy, stage);
    if (!isDeepStrictEqual(now, facts))
      throw new Error(`It is not what it is without the fault: ${difference(facts, now)}`);
    const { notices } = await copy.call('app.info', {});
    const bad = notices.filter(({ severity }) => severity === 'bad');
    if (bad.length > 0) throw new Error(`It was told: ${bad.map(({ text }) => text).join(' ')}`);
    await copy.shut();
    await this.#keep(copy);
    await requireWhole(stage.home, stage.outside);
    if ((await printOf(this.inputs)) !== this.#inputsPrint)
      throw new Error('Something outside the data folder changed.');
    await this.#clear(stage);
    return found;
  }

  /** A plain copy that has nothing open is as good as a new one. */
  async #keep(copy: Copy): Promise<void> {
    if (copy.plain && this.#spare === null) this.#spare = Promise.resolve(copy);
    else await copy.close();
  }

  /** Stages of faults with loss are kept, to be looked at. */
  async #clear({ home, outside }: Stage): Promise<void> {
    await rm(outside, { recursive: true, force: true });
    await rm(home, { recursive: true, force: true }).catch(() => undefined); // A disk's own folder stays.
  }
}

/** The first place where two values of JSON differ. */
function difference(before: unknown, now: unknown, path = ''): string {
  if (typeof before !== 'object' || typeof now !== 'object' || before === null || now === null)
    return `${path}: ${JSON.stringify(before)} became ${JSON.stringify(now)}`;
  const [one, other] = [before as Record<string, unknown>, now as Record<string, unknown>];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)]))
    if (!isDeepStrictEqual(one[key], other[key]))
      return difference(one[key] ?? null, other[key] ?? null, `${path}/${key}`);
  return path;
}
