/**
 * AdaLoRA's rank budget, as Hugging Face peft's RankAllocator has it (Zhang et al. 2023, arXiv:2303.10512, section 3.2-3.3): which
 * of all singular values are set to zero after a step. Importance of a weight is the smoothed |weight · gradient| times its
 * smoothed fluctuation; that of a singular value adds the means over its two vectors.
 */
import type { NamedTensors, ParameterInfo, Tensor } from '../types.js';
import type { StepWatch } from './method.js';

export interface RankSchedule {
  readonly initRank: number;
  readonly targetRank: number;
  /** The rank is whole until after this step. */
  readonly tinit: number;
  /** So many steps at the end leave the choice as it is. */
  readonly tfinal: number;
  readonly deltaT: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly steps: number;
}

/** What follows a module's path in the names of its three tensors: right vectors [r, in], values [r, 1], left vectors [out, r]. */
export const svdParts = { right: 'lora_A', values: 'lora_E', left: 'lora_B' } as const;

const empty = ({ shape }: Pick<Tensor, 'shape'>): Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, d) => a * d, 1)),
});

export class RankAllocator implements StepWatch {
  readonly observed: readonly string[];
  readonly state: NamedTensors = new Map();
  readonly #modules: readonly string[];

  constructor(
    trained: readonly ParameterInfo[],
    private readonly schedule: RankSchedule,
  ) {
    const end = `.${svdParts.values}`;
    this.#modules = trained.filter(({ name }) => name.endsWith(end)).map(({ name }) => name.slice(0, -end.length));
    const own = new Set(this.#modules.flatMap((module) => Object.values(svdParts).map((part) => `${module}.${part}`)));
    const observed = trained.filter(({ name }) => own.has(name));
    this.observed = observed.map(({ name }) => name);
    for (const { name, shape } of observed) {
      this.state.set(`sensitivity/${name}`, empty({ shape }));
      this.state.set(`uncertainty/${name}`, empty({ shape }));
    }
    for (const module of this.#modules) this.state.set(`kept/${module}`, empty({ shape: [schedule.initRank] }));
  }

  afterStep(step: number, parameters: NamedTensors, gradients: NamedTensors): void {
    const { tinit, tfinal, deltaT, steps } = this.schedule;
    const last = steps - tfinal;
    if (step < last) this.#observe(parameters, gradients);
    if (step === last || (step < last && step > tinit && step % deltaT === 0)) this.#choose(this.#budget(step));
    else if (step < last) return;
    this.#cut(parameters);
    if (step === last) for (const [name, { data }] of this.state) if (!name.startsWith('kept/')) data.fill(0); // never read again
  }

  /** Singular values that may stay after a step between `tinit` and the last choice: a cubic decline. */
  #budget(step: number): number {
    const { initRank, targetRank, tinit, tfinal, steps } = this.schedule;
    const [start, end] = [initRank * this.#modules.length, targetRank * this.#modules.length];
    const left = 1 - (step - tinit) / (steps - tfinal - tinit);
    return Math.floor((start - end) * left ** 3 + end);
  }

  #of(kind: 'sensitivity' | 'uncertainty' | 'kept', name: string): Float32Array {
    return (this.state.get(`${kind}/${name}`) as Tensor).data;
  }

  #observe(parameters: NamedTensors, gradients: NamedTensors): void {
    const { beta1, beta2 } = this.schedule;
    for (const name of this.observed) {
      const [values, slopes] = [(parameters.get(name) as Tensor).data, (gradients.get(name) as Tensor).data];
      const [sensitivity, uncertainty] = [this.#of('sensitivity', name), this.#of('uncertainty', name)];
      for (let i = 0; i < values.length; i++) {
        const now = Math.abs((values[i] as number) * (slopes[i] as number));
        sensitivity[i] = beta1 * (sensitivity[i] as number) + (1 - beta1) * now;
        uncertainty[i] = beta2 * (uncertainty[i] as number) + (1 - beta2) * Math.abs(now - (sensitivity[i] as number));
      }
    }
  }

  /** Importance of each singular value of a module: [r]. */
  #scores(module: string): Float64Array {
    const rank = this.schedule.initRank;
    const scores = new Float64Array(rank);
    for (const part of Object.values(svdParts)) {
      const name = `${module}.${part}`;
      const [sensitivity, uncertainty] = [this.#of('sensitivity', name), this.#of('uncertainty', name)];
      const count = sensitivity.length / rank;
      for (let i = 0; i < sensitivity.length; i++) {
        const k = part === svdParts.left ? i % rank : Math.floor(i / count);
        scores[k] = (scores[k] as number) + ((sensitivity[i] as number) * (uncertainty[i] as number)) / count;
      }
    }
    return scores;
  }

  /** Keeps the `budget` most important singular values of all modules together. */
  #choose(budget: number): void {
    const scores = new Map(this.#modules.map((module) => [module, this.#scores(module)]));
    const all = Float64Array.from([...scores.values()].flatMap((own) => [...own])).sort();
    const dropped = all.length - budget;
    const threshold = dropped > 0 ? (all[dropped - 1] as number) : -Infinity;
    for (const [module, own] of scores)
      own.forEach((score, k) => (this.#of('kept', module)[k] = score > threshold ? 1 : 0));
  }

  #cut(parameters: NamedTensors): void {
    for (const module of this.#modules) {
      const { data } = parameters.get(`${module}.${svdParts.values}`) as Tensor;
      this.#of('kept', module).forEach((kept, k) => {
        if (kept === 0) data[k] = 0;
      });
    }
  }
}
