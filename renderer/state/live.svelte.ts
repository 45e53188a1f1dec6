/** Curves, stages and log of one run, bounded, refreshed at most four times a second, with thousands of points once a second. */
import type {
  EventData,
  LogLine,
  Problem,
  StageMetric,
  StepMetric,
  ValidationMetric,
} from '../../electron/contract/index.js';
import { call, toProblem } from './client.js';
import { append } from './series.js';

export const STEP_LIMIT = 4000;
const LOG_LIMIT = 2000;
/** Lines that the stored history and the stream may both tell. */
const LOG_OVERLAP = 100;
const FLUSH_MS = 250;

/** One of each stage: what was told last holds. */
const lastTold = (told: readonly StageMetric[]): StageMetric[] =>
  [...new Map(told.map((stage) => [stage.stage, stage])).values()].sort((a, b) => a.stage - b.stage);

export class LiveRun {
  steps = $state.raw<readonly StepMetric[]>([]);
  validations = $state.raw<readonly ValidationMetric[]>([]);
  /** Those that have begun, in order. */
  stages = $state.raw<readonly StageMetric[]>([]);
  log = $state.raw<readonly LogLine[]>([]);
  problem = $state.raw<Problem | null>(null);
  loaded = $state(false);
  #pending: EventData<'metrics'>[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(readonly runId: number) {}

  /** Reads what was stored; what arrives meanwhile is kept and added. */
  async load(): Promise<void> {
    try {
      const history = await call('runs.history', { id: this.runId, points: STEP_LIMIT });
      this.steps = append([], history.steps, STEP_LIMIT);
      this.validations = history.validations;
      this.stages = history.stages;
      this.log = history.log.slice(-LOG_LIMIT);
      this.loaded = true;
      this.problem = null;
      this.#flush();
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  receive(data: EventData<'metrics'>): void {
    this.#pending.push(data);
    // Among thousands of points one more changes little, and drawing them takes long.
    const wait = FLUSH_MS * (1 + this.steps.length / 1000);
    if (this.loaded && this.#timer === null) this.#timer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    this.#timer = null;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    this.steps = append(
      this.steps,
      batch.flatMap((data) => data.steps),
      STEP_LIMIT,
    );
    const known = new Set(this.validations.map((validation) => validation.step));
    const fresh = batch.flatMap((data) => data.validations).filter((validation) => !known.has(validation.step));
    if (fresh.length > 0) this.validations = [...this.validations, ...fresh];
    const stages = batch.flatMap((data) => data.stages);
    if (stages.length > 0) this.stages = lastTold([...this.stages, ...stages]);
    const told = new Set(this.log.slice(-LOG_OVERLAP).map((line) => `${line.time} ${line.message}`));
    const lines = batch.flatMap((data) => data.log).filter((line) => !told.has(`${line.time} ${line.message}`));
    if (lines.length > 0) this.log = [...this.log, ...lines].slice(-LOG_LIMIT);
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pending = [];
  }
}
