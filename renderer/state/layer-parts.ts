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

/** Module names of the supported architectures (BERT and RoBERTa, DistilBERT) and the part each means. */
const aliases: readonly (readonly [RegExp, LayerPart])[] = [
  [/(^|\.)(query|q_lin|q_proj|q)$/, 'q'],
  [/(^|\.)(key|k_lin|k_proj|k)$/, 'k'],
  [/(^|\.)(value|v_lin|v_proj|v)$/, 'v'],
  [/(attention\.output(\.dense)?|out_lin|o_proj|^o)$/, 'o'],
  [/((^|\.)intermediate(\.dense)?|lin1|up_proj|^up)$/, 'up'],
  [/(^output(\.dense)?|(^|[^n])\.output(\.dense)?|lin2|down_proj|^down)$/, 'down'],
];

/** Parts that a target module names; "dense" alone means every dense layer outside q, k and v. */
export function partsOfTarget(target: string): LayerPart[] {
  if (target === 'dense' || target === 'all-linear') return target === 'dense' ? ['o', 'up', 'down'] : ['q', 'k', 'v', 'o', 'up', 'down'];
  return aliases.filter(([pattern]) => pattern.test(target)).map(([, part]) => part);
}

const none: ReadonlySet<never> = new Set<never>();
const words = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : typeof value === 'string' ? [value] : []);

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
      return { ...quiet, lowRank: new Set(words(method['targetModules']).flatMap(partsOfTarget)), words: 'Beside each chosen W: W x + (alpha / r) B A x. B starts at 0: the model starts unchanged.' };
    case 'bottleneck': {
      const both = method['placement'] === 'houlsby';
      return { ...quiet, adapters: new Set(both ? (['o', 'down'] as const) : (['down'] as const)), words: `${both ? 'After attention and after the feed-forward part' : 'After the feed-forward part'}: h + up(act(down(h))). up starts at 0, so the model starts unchanged.` };
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
    return [`A ${size(rank)} \u00d7 ${size(hidden)}`, `B ${size(hidden)} \u00d7 ${size(rank)}`, ...(alpha === null ? [] : [`alpha / r = ${size(alpha / rank)}`])];
  }
  if (method.type === 'bottleneck') {
    const factor = option('reductionFactor');
    if (factor === null || factor <= 0) return [];
    const width = Math.max(1, Math.floor(hidden / factor));
    return [`down ${size(width)} \u00d7 ${size(hidden)}`, `up ${size(hidden)} \u00d7 ${size(width)}`];
  }
  return [];
}
