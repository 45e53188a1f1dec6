/** Target modules as the map shows them and as a plan states them. */
import type { MapGroup } from '../../../electron/contract/index.js';

export type MapModule = MapGroup['modules'][number];

/** Linear layers that the method acts on: those with something added or trained beside their weight. */
export function chosenModules(map: readonly MapGroup[]): string[] {
  return linearModules(map)
    .filter(({ tensors }) => tensors.some(({ state }) => state === 'added'))
    .map(({ path }) => path);
}

const linearModules = (map: readonly MapGroup[]): MapModule[] =>
  map.flatMap(({ kind, modules }) => (kind === 'layer' ? modules.filter(({ linear }) => linear) : []));

/** The words that a list of targets may hold: labels that mean one module a layer, in the order of a layer. */
export function targetWords(map: readonly MapGroup[]): string[] {
  return [...new Set(linearModules(map).map(({ label }) => label))];
}

/** Does an entry of a target list name a module? By the end of its path, as in Hugging Face peft. */
const names = (target: string, path: string) => path === target || path.endsWith(`.${target}`);

/**
 * A list of targets that chooses exactly these modules: a label where it stands for all modules it would match,
 * whole paths for the rest.
 */
export function targetsFor(map: readonly MapGroup[], chosen: ReadonlySet<string>): string[] {
  const all = linearModules(map);
  const targets: string[] = [];
  const left = new Set(chosen);
  for (const word of targetWords(map)) {
    const matched = all.filter(({ path }) => names(word, path));
    if (matched.length === 0 || !matched.every(({ path }) => chosen.has(path))) continue;
    targets.push(word);
    matched.forEach(({ path }) => left.delete(path));
  }
  return [...targets, ...all.map(({ path }) => path).filter((path) => left.has(path))];
}

/** The chosen modules after a click: the module's fellows in every layer go with it unless `alone`. */
export function toggled(
  map: readonly MapGroup[],
  chosen: ReadonlySet<string>,
  module: MapModule,
  alone: boolean,
): Set<string> {
  const fellows = alone ? [module] : linearModules(map).filter(({ label }) => label === module.label);
  const next = new Set(chosen);
  for (const { path } of fellows) {
    if (chosen.has(module.path)) next.delete(path);
    else next.add(path);
  }
  return next;
}

/** Numbers in a tensor. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Parameters of tensors, by what becomes of them. */
export function countsOf(modules: readonly MapModule[]): { frozen: number; trained: number; added: number } {
  const counts = { frozen: 0, trained: 0, added: 0 };
  for (const { tensors } of modules)
    for (const { shape, state } of tensors) {
      const size = sizeOf(shape);
      if (state === 'trained' || state === 'added') counts[state] += size;
      else counts.frozen += size;
    }
  return counts;
}
