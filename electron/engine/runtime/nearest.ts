/** What soft prompts mean, as far as words can say it: the words of the vocabulary nearest to each virtual token. */
import { frozenBuilder } from '../models/builder.js';
import { internals } from '../models/folder.js';
import { promptEmbeddings } from '../peft/prompt-files.js';
import type { BaseModelInfo, NamedTensors } from '../types.js';

export interface NearWord {
  /** Token id. */
  readonly id: number;
  /** Cosine of the angle between the word's embedding and the virtual token's. */
  readonly similarity: number;
}

/**
 * The `count` words nearest to each virtual token by cosine over the word embeddings, the nearest first; null where the
 * parameters hold no virtual tokens of a vocabulary's width (keys and values of a prefix have no words). Throws EngineError.
 */
export async function nearestWords(
  model: BaseModelInfo,
  parameters: NamedTensors,
  count: number,
): Promise<readonly (readonly NearWord[])[] | null> {
  const prompt = parameters.get(promptEmbeddings);
  if (!prompt) return null;
  const { read } = internals(model);
  const words = await read(wordTable(model));
  const [vocabulary, width] = words.shape as [number, number];
  const norms = normsOf(words.data, width);
  const own = normsOf(prompt.data, width);
  return Array.from(own, (norm, token) => {
    const vector = prompt.data.subarray(token * width, (token + 1) * width);
    const nearest: NearWord[] = [];
    for (let id = 0; id < vocabulary; id++) {
      const from = id * width;
      let product = 0;
      for (let i = 0; i < width; i++) product += (vector[i] as number) * (words.data[from + i] as number);
      const scale = norm * (norms[id] as number);
      if (scale === 0) continue;
      const similarity = product / scale;
      if (nearest.length === count && similarity <= (nearest.at(-1) as NearWord).similarity) continue;
      const at = nearest.findIndex((other) => similarity > other.similarity);
      nearest.splice(at === -1 ? nearest.length : at, 0, { id, similarity });
      if (nearest.length > count) nearest.pop();
    }
    return nearest;
  });
}

function normsOf(data: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: data.length / width }, (_, row) =>
    Math.hypot(...data.subarray(row * width, (row + 1) * width)),
  );
}

/** Name of the word embeddings: what the model tells a method that puts virtual tokens before them. */
function wordTable(model: BaseModelInfo): string {
  const { architecture, config } = internals(model);
  let table = '';
  const b = frozenBuilder({
    prompt: {
      tokens: 1,
      embeddings(builder, site) {
        table = site.table;
        return builder.added(promptEmbeddings, [1, site.width], 'zeros');
      },
    },
  });
  architecture.encode(b, config, 'all');
  return table;
}
