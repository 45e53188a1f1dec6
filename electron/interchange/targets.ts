/** Names of parameters: which belong to the head, and modules as peft's short target names and as the engine's full ones. */
import { describeHead, type BaseModelInfo, type NamedTensors } from '../engine/index.js';

/** Is a parameter part of the task's head? A pooler that the base lacked, and that so was trained, is. */
export function isHead(model: BaseModelInfo, name: string): boolean {
  const { modules, prefix } = describeHead(model);
  return [...modules, `${prefix}pooler`].some((module) => name.startsWith(`${module}.`));
}

/** What a run trained, its head apart. */
export function splitHead(
  model: BaseModelInfo,
  parameters: NamedTensors,
): { adapter: NamedTensors; head: NamedTensors } {
  const [adapter, head]: [NamedTensors, NamedTensors] = [new Map(), new Map()];
  for (const [name, tensor] of parameters) (isHead(model, name) ? head : adapter).set(name, tensor);
  return { adapter, head };
}

/** Modules that classifiers of these architectures have beside the base's own; a short target name must not catch them. */
const headModules = ['pooler.dense', 'classifier', 'classifier.dense', 'classifier.out_proj', 'pre_classifier'];

/** Every module of the base with a weight: "bert.encoder.layer.0.attention.self.query". */
export function modulesOf(model: BaseModelInfo): Set<string> {
  return new Set(
    model.parameters.filter(({ name }) => name.endsWith('.weight')).map(({ name }) => name.slice(0, -'.weight'.length)),
  );
}

/**
 * The shortest names that choose exactly these modules by peft's rule (equal to the name, or ending in "." and the name).
 * @param chosen full module paths of the model
 */
export function targetNames(model: BaseModelInfo, chosen: ReadonlySet<string>): string[] {
  const all = [...modulesOf(model), ...headModules];
  const names = new Set<string>();
  for (const module of chosen) {
    const parts = module.split('.');
    for (let from = parts.length - 1; from >= 0; from -= 1) {
      const name = parts.slice(from).join('.');
      if (
        from > 0 &&
        !all.filter((other) => other === name || other.endsWith(`.${name}`)).every((other) => chosen.has(other))
      )
        continue;
      names.add(name);
      break;
    }
  }
  return [...names].sort();
}

/** The engine's full path of a module that a file names with or without the architecture's prefix; null where the base has none. */
export function fullModule(model: BaseModelInfo, prefix: string, module: string): string | null {
  const known = modulesOf(model);
  return [module, `${prefix}${module}`].find((name) => known.has(name)) ?? null;
}
