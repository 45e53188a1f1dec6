/** The map of parameters: every module of a model with a method, in the order of the forward pass, before anything is trained. */
import { layerOf } from '../models/names.js';
import { prepare, type SetupOptions } from './setup.js';
import { planOf, type ParameterPlan } from './export.js';

export interface MapTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** `trained`: of the base; `added`: by the method or as the task's head; `fixed`: added, but it does not train. */
  readonly state: 'frozen' | 'trained' | 'added' | 'fixed';
}

export interface MapModule {
  /** Module path as in the checkpoint. */
  readonly path: string;
  /** The shortest end of the path that no other module of the group has: what a list of target modules may hold. */
  readonly label: string;
  /** A linear layer that methods may choose as a target. */
  readonly linear: boolean;
  readonly tensors: readonly MapTensor[];
}

export interface MapGroup {
  readonly kind: 'embeddings' | 'layer' | 'head' | 'other';
  /** "embeddings", "layer 0" and on, "head", "other" */
  readonly name: string;
  readonly modules: readonly MapModule[];
}

/** The part of the model that a parameter belongs to: "embeddings", "layer 3", "head" or "other". */
export function groupOf({ name, part }: Pick<ParameterPlan, 'name' | 'part'>): string {
  if (part === 'head') return 'head';
  const layer = layerOf(name);
  if (layer !== null) return `layer ${layer}`;
  return /embed|\bw[tp]e\b|prompt/.test(name) ? 'embeddings' : 'other';
}

const kindOf = (name: string): MapGroup['kind'] =>
  name === 'embeddings' || name === 'head' ? name : name.startsWith('layer') ? 'layer' : 'other';

const stateOf = ({ part, trainable }: ParameterPlan): MapTensor['state'] =>
  part === 'base' ? (trainable ? 'trained' : 'frozen') : trainable ? 'added' : 'fixed';

const withoutLast = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** Module of each parameter: an added tensor stands with the base's module whose path it continues. */
function moduleOf(parameter: ParameterPlan, bases: ReadonlySet<string>): string {
  const own = withoutLast(parameter.name);
  if (parameter.part !== 'added') return own;
  for (let path = own; path !== ''; path = withoutLast(path)) if (bases.has(path)) return path;
  return own;
}

/** Shortest dotted ends of the paths that are ends of no other path among them; where there is none, the path inside its layer. */
function labelsOf(paths: readonly string[]): string[] {
  return paths.map((path) => {
    const inside = path.replace(/^.*\b(?:layer|layers|h|blocks)\.\d+\./, '');
    const words = inside.split('.');
    const ends = words
      .map((_, i) => words.slice(-i - 1).join('.'))
      .filter((end) => end !== 'dense' && !/^\d/.test(end));
    return ends.find((end) => !paths.some((other) => other !== path && `.${other}`.endsWith(`.${end}`))) ?? inside;
  });
}

/** Groups from the bottom of the model to its top; no weight is read. Throws EngineError as `planParameters` does. */
export function mapParameters(options: SetupOptions): readonly MapGroup[] {
  const setup = prepare(options);
  const linears = new Set(setup.linears);
  const plan = planOf(options, setup);
  const bases = new Set(plan.filter(({ part }) => part !== 'added').map(({ name }) => withoutLast(name)));
  const groups = new Map<string, Map<string, MapTensor[]>>();
  for (const parameter of plan) {
    const group = groupOf(parameter);
    const modules = groups.get(group) ?? new Map<string, MapTensor[]>();
    groups.set(group, modules);
    const path = moduleOf(parameter, bases);
    const tensors = modules.get(path) ?? [];
    modules.set(path, tensors);
    tensors.push({ name: parameter.name, shape: parameter.shape, state: stateOf(parameter) });
  }
  return [...groups].map(([name, modules]) => {
    const labels = labelsOf([...modules.keys()]);
    return {
      kind: kindOf(name),
      name,
      modules: [...modules].map(([path, tensors], i) => ({
        path,
        label: labels[i] as string,
        linear: linears.has(path),
        tensors,
      })),
    };
  });
}
