/** The next token from its logits, by the rules of transformers' generation. */
import { EngineError } from '../errors.js';
import type { SamplingOptions } from '../types.js';

export const greedy: SamplingOptions = { temperature: 0, topK: null, topP: null, repetitionPenalty: 1 };

/** Throws EngineError 'bad-input' naming the option and what is allowed. */
export function checkSampling({ temperature, topK, topP, repetitionPenalty }: SamplingOptions): void {
  const refuse = (path: string, allowed: string) => {
    throw new EngineError('bad-input', `${path}: must be ${allowed}.`, null, { path });
  };
  if (!(temperature >= 0 && temperature <= 100)) refuse('temperature', '0 (the likeliest token each time) to 100');
  if (topK !== null && !(Number.isInteger(topK) && topK >= 1)) refuse('topK', 'a whole number of at least 1');
  if (topP !== null && !(topP > 0 && topP <= 1)) refuse('topP', 'above 0 and at most 1');
  if (!(repetitionPenalty > 0 && repetitionPenalty <= 100)) refuse('repetitionPenalty', 'above 0 and at most 100');
}

/** Logits [vocabulary] with those of the tokens in `text` moved towards less likely. */
function penalize(logits: Float32Array, text: readonly number[], penalty: number): Float32Array {
  if (penalty === 1) return logits;
  const changed = logits.slice();
  for (const token of new Set(text)) {
    const score = logits[token] as number;
    changed[token] = score < 0 ? score * penalty : score / penalty;
  }
  return changed;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++)
    if ((logits[token] as number) > (logits[best] as number)) best = token;
  return best;
}

/** Tokens by falling logit, as many as `enough` asks for; the rest is never sorted. `enough` sees the first `count` of them. */
function sorted(logits: Float32Array, enough: (tokens: readonly number[]) => boolean): number[] {
  const top = logits[likeliest(logits)] as number;
  for (let reach = 8; ; reach *= 2) {
    const tokens: number[] = [];
    for (let token = 0; token < logits.length; token++)
      if ((logits[token] as number) >= top - reach) tokens.push(token);
    if (tokens.length < logits.length && !enough(tokens)) continue;
    return tokens.sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  }
}

/** The tokens that may come next, and a weight of each: its probability times a factor that all share. */
export interface Candidates {
  readonly tokens: readonly number[];
  readonly weights: readonly number[];
}

/**
 * What may follow `text`, all token ids so far. Order as in transformers: penalty, temperature, top k (ties with the last stay),
 * top p (of what top k left). At temperature 0 the likeliest token stands alone, the first of equals.
 */
export function candidatesOf(logits: Float32Array, text: readonly number[], o: SamplingOptions): Candidates {
  const penalized = penalize(logits, text, o.repetitionPenalty);
  const likeliestToken = likeliest(penalized);
  if (o.temperature === 0) return { tokens: [likeliestToken], weights: [1] };
  const top = penalized[likeliestToken] as number;
  const weight = (token: number) => Math.exp(((penalized[token] as number) - top) / o.temperature);
  const sum = (tokens: readonly number[]) => tokens.reduce((total, token) => total + weight(token), 0);

  let tokens: readonly number[] | null = null;
  if (o.topK !== null && o.topK < penalized.length) {
    const k = o.topK;
    const best = sorted(penalized, (found) => found.length >= k);
    const last = penalized[best[k - 1] as number] as number;
    tokens = best.filter((token) => (penalized[token] as number) >= last);
  }
  if (o.topP !== null && o.topP < 1) {
    const all = tokens ? sum(tokens) : penalized.reduce((total, _, token) => total + weight(token), 0);
    const wanted = o.topP * all;
    const best = tokens ?? sorted(penalized, (found) => sum(found) >= wanted);
    let reached = 0;
    tokens = best.filter((token) => {
      const before = reached;
      reached += weight(token);
      return before < wanted;
    });
  }
  tokens ??= Array.from(penalized, (_, token) => token);
  return { tokens, weights: tokens.map(weight) };
}

/** The next token; `draw`: a uniform number in [0, 1). */
export function nextToken(logits: Float32Array, text: readonly number[], o: SamplingOptions, draw: number): number {
  const { tokens, weights } = candidatesOf(logits, text, o);
  let left = draw * weights.reduce((total, weight) => total + weight, 0);
  for (const [place, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return tokens[place] as number;
  }
  return tokens.at(-1) as number;
}
