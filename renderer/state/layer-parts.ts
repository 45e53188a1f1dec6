/** Where a method's parameters sit in a transformer layer: the facts behind the map and the help's figures. */
import type { MethodOptions } from '../../electron/contract/index.js';

export const layerParts = ['q', 'k', 'v', 'o', 'ln1', 'up', 'down', 'ln2'] as const;
export type LayerPart = (typeof layerParts)[number];

export interface LayerMarks {
  /** Weights of the base that train. */
  readonly trained: ReadonlySet<LayerPart>;
  /** Only the biases of the base train. */
  readonly biases: boolean;
  /** Pairs of low-rank matrices beside these weights. */
  readonly lowRank: ReadonlySet<LayerPart>;
  /** Small networks after these parts. */
  readonly adapters: ReadonlySet<'o' | 'down'>;
  /** One sentence under the figure. */
  readonly words: string;
}

type Linear = Exclude<LayerPart, 'ln1' | 'ln2'>;
const linearParts = ['q', 'k', 'v', 'o', 'up', 'down'] as const satisfies readonly Linear[];

/** Paths of a layer's linear modules in the checkpoints of each family, for layer 0. */
const bertModules: Readonly<Record<Linear, string>> = {
  q: 'encoder.layer.0.attention.self.query',
  k: 'encoder.layer.0.attention.self.key',
  v: 'encoder.layer.0.attention.self.value',
  o: 'encoder.layer.0.attention.output.dense',
  up: 'encoder.layer.0.intermediate.dense',
  down: 'encoder.layer.0.output.dense',
};
const distilbertModules: Readonly<Record<Linear, string>> = {
  q: 'transformer.layer.0.attention.q_lin',
  k: 'transformer.layer.0.attention.k_lin',
  v: 'transformer.layer.0.attention.v_lin',
  o: 'transformer.layer.0.attention.out_lin',
  up: 'transformer.layer.0.ffn.lin1',
  down: 'transformer.layer.0.ffn.lin2',
};
const families = [bertModules, distilbertModules];

/** Target modules worth offering for an architecture, and those a method takes by itself. */
export function targetChoices(architecture: string): { choices: readonly string[]; initial: readonly string[] } {
  return architecture === 'distilbert'
    ? { choices: ['q_lin', 'k_lin', 'v_lin', 'out_lin', 'lin1', 'lin2'], initial: ['q_lin', 'v_lin'] }
    : {
        choices: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
        initial: ['query', 'value'],
      };
}

/** Parts that a target module names: by the end of a module's path, as the methods match it ("output.dense" is both output layers). */
export function partsOfTarget(target: string): LayerPart[] {
  const wanted = target.replace(/\b(layer)\.\d+/g, '$1.0');
  const names = (path: string) => path === wanted || path.endsWith(`.${wanted}`) || wanted.endsWith(`.${path}`);
  return linearParts.filter((part) => families.some((modules) => names(modules[part])));
}

/** Parts whose path a regular expression matches as a whole, in any of the first layers; none for a faulty expression. */
function partsOfPattern(pattern: string): LayerPart[] {
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${pattern})$`);
  } catch {
    return [];
  }
  const paths = (path: string) =>
    Array.from({ length: 24 }, (_, layer) => path.replace('.0.', `.${layer}.`)).flatMap((it) => [
      it,
      `bert.${it}`,
      `roberta.${it}`,
      `distilbert.${it}`,
    ]);
  return linearParts.filter((part) =>
    families.some((modules) => paths(modules[part]).some((path) => expression.test(path))),
  );
}

/** Parts that LoRA acts on; left out, the architecture's query and value. */
function lowRankParts(targets: unknown): LayerPart[] {
  if (targets === undefined || targets === null) return ['q', 'v'];
  return typeof targets === 'string' ? partsOfPattern(targets) : words(targets).flatMap(partsOfTarget);
}

const none: ReadonlySet<never> = new Set<never>();
const words = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** What a method adds or trains in each layer; null for a method this drawing does not know. */
export function layerMarks(method: MethodOptions): LayerMarks | null {
  const quiet: LayerMarks = { trained: none, biases: false, lowRank: none, adapters: none, words: '' };
  switch (method.type) {
    case 'full':
      return { ...quiet, trained: new Set(layerParts), words: 'Every weight trains, embeddings included.' };
    case 'head':
      return { ...quiet, words: 'The layers stay as they are; only the new classifier on top trains.' };
    case 'bitfit':
      return { ...quiet, biases: true, words: 'Only the biases train, the last column of each box; the weights stay.' };
    case 'lora':
      return {
        ...quiet,
        lowRank: new Set(lowRankParts(method['targetModules'])),
        words: 'Beside each chosen W: W x + (alpha / r) B A x. B starts at 0: the model starts unchanged.',
      };
    case 'bottleneck': {
      const both = method['placement'] === 'houlsby';
      return {
        ...quiet,
        adapters: new Set(both ? (['o', 'down'] as const) : (['down'] as const)),
        words: `${both ? 'After attention and after the feed-forward part' : 'After the feed-forward part'}: h + up(act(down(h))). up starts at 0, so the model starts unchanged.`,
      };
    }
    default:
      return null;
  }
}

/** Sizes of what a method adds, as the map's foot shows them: "A 8 × 384". Empty where nothing is added or a size is not known. */
export function shapeFacts(method: MethodOptions, hidden: number): string[] {
  const option = (name: string) => (typeof method[name] === 'number' ? method[name] : null);
  const size = (value: number) => value.toLocaleString('en-GB', { maximumFractionDigits: 2 });
  if (method.type === 'lora') {
    const rank = option('rank');
    const alpha = option('alpha');
    if (rank === null) return [];
    return [
      `A ${size(rank)} \u00d7 ${size(hidden)}`,
      `B ${size(hidden)} \u00d7 ${size(rank)}`,
      ...(alpha === null ? [] : [`alpha / r = ${size(alpha / rank)}`]),
    ];
  }
  if (method.type === 'bottleneck') {
    const factor = option('reductionFactor');
    if (factor === null || factor <= 0) return [];
    const width = Math.max(1, Math.floor(hidden / factor));
    return [`down ${size(width)} \u00d7 ${size(hidden)}`, `up ${size(hidden)} \u00d7 ${size(width)}`];
  }
  return [];
}
