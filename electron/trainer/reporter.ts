/** Gathers what a training tells and sends it at most about ten times a second. */
import type { LogLine, StageMetric, StepMetric, ValidationMetric } from '../contract/entities.js';
import type { TrainerEvent } from './protocol.js';

const millisecondsBetween = 100;

export interface Told {
  readonly steps: readonly StepMetric[];
  readonly validations: readonly ValidationMetric[];
}

export class Reporter {
  private steps: StepMetric[] = [];
  private validations: ValidationMetric[] = [];
  private stages: StageMetric[] = [];
  private lines: LogLine[] = [];
  private secondsLeft: number | null = null;
  private sentAt = 0;
  /** Metrics events sent so far. */
  private sent = 0;
  /** What was told since the last checkpoint, and before that what the app had not stored yet, by the event's number. */
  private told: (Told & { readonly event: number })[] = [];

  constructor(private readonly emit: (event: TrainerEvent) => Promise<void>) {}

  step(metric: StepMetric, secondsLeft: number | null): void {
    this.steps.push(metric);
    this.secondsLeft = secondsLeft;
  }

  validation(metric: ValidationMetric): void {
    this.validations.push(metric);
  }

  /** The beginning or the end of a stage. */
  stage(metric: StageMetric): void {
    this.stages.push(metric);
  }

  /**
   * What a checkpoint carries: whatever was sent since the one before, and what the app has not stored since it was sent.
   * @param stored how many of the metrics events the app has stored, those before included
   */
  carried(stored: number): { steps: StepMetric[]; validations: ValidationMetric[] } {
    const { told } = this;
    this.told = told.filter(({ event }) => event > stored);
    return { steps: told.flatMap(({ steps }) => steps), validations: told.flatMap(({ validations }) => validations) };
  }

  /** Tells again what a checkpoint carries. */
  retell(told: Told): void {
    this.steps.push(...told.steps);
    this.validations.push(...told.validations);
  }

  log(level: LogLine['level'], message: string): void {
    this.lines.push({ time: new Date().toISOString(), level, message });
  }

  /** Sends what waits if the last sending is long enough ago. */
  async tick(): Promise<void> {
    if (performance.now() - this.sentAt >= millisecondsBetween) await this.flush();
  }

  /** Sends what waits now. */
  async flush(): Promise<void> {
    if (this.steps.length + this.validations.length + this.stages.length + this.lines.length === 0) return;
    const event: TrainerEvent = {
      type: 'metrics',
      steps: this.steps,
      validations: this.validations,
      stages: this.stages,
      log: this.lines,
      secondsLeft: this.secondsLeft,
    };
    this.told.push({ event: ++this.sent, steps: this.steps, validations: this.validations });
    this.steps = [];
    this.validations = [];
    this.stages = [];
    this.lines = [];
    this.sentAt = performance.now();
    await this.emit(event);
  }

  async phase(
    phase: Extract<TrainerEvent, { type: 'phase' }>['phase'],
    done: number,
    total: number | null,
  ): Promise<void> {
    await this.flush();
    await this.emit({ type: 'phase', phase, done, total });
  }
}
