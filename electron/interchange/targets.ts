/** Module names: from parameters to peft's short target names, and back to the engine's full ones. */
import type { BaseModelInfo } from '../engine/index.js';

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
