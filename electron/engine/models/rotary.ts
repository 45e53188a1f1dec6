/**
 * Rotary positions (Su et al. 2021) with the scalings that transformers has (modeling_rope_utils.py). Frequencies are rounded to
 * float32 where transformers rounds them: far into a text a last bit there is a visible turn.
 */
import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { Value } from '../graph/ir.js';
import type { Builder } from './builder.js';
import { rowPositions } from './rows.js';

export interface Rotary {
  /** Turn of each pair of a head's values by position, in radians: [width / 2]. */
  readonly frequencies: Float32Array;
  /** Frequencies of texts that reach beyond a position (LongRoPE); null where all texts have the same. */
  readonly long: { readonly frequencies: Float32Array; readonly beyond: number } | null;
  /** Factor of cosine and sine. */
  readonly factor: number;
}

const factors = z.array(z.number().positive());

/** `rope_parameters`, or the older `rope_scaling`, of config.json. */
const scalingSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.literal(1, 'only whole heads can be rotated').nullish(),
  factor: z.number().min(1).nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  short_factor: factors.nullish(),
  long_factor: factors.nullish(),
});
type Scaling = z.output<typeof scalingSchema>;

/** Fields of config.json that tell the rotation. */
export const rotaryFields = {
  rope_theta: z.number().positive().nullish(),
  rope_scaling: scalingSchema.nullish(),
  rope_parameters: scalingSchema.nullish(),
  partial_rotary_factor: z.literal(1, 'only whole heads can be rotated').nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
};
const rotaryConfig = z.object(rotaryFields);

function needed(scaling: Scaling, key: keyof Scaling & string): number {
  const value = scaling[key];
  if (typeof value === 'number') return value;
  throw new EngineError(
    'bad-model',
    `config.json: rope_parameters.${key}: is missing, but rope_type ${scaling.rope_type ?? scaling.type} needs it.`,
    'Use the config.json that came with the weights.',
    { key: `rope_parameters.${key}` },
  );
}

/** θ^(2i/width) for each pair i. */
function wavelengths(theta: number, width: number): Float32Array {
  return Float32Array.from({ length: width / 2 }, (_, i) => theta ** Math.fround((2 * i) / width));
}

/** Peng et al. 2023, "YaRN": fast turns stay, slow ones are stretched, those between are mixed. */
function yarn(s: Scaling, theta: number, width: number, original: number, factor: number): Rotary {
  const mscale = (scale: number, by = 1) => (scale <= 1 ? 1 : 0.1 * by * Math.log(scale) + 1);
  const inferred =
    s.mscale && s.mscale_all_dim ? mscale(factor, s.mscale) / mscale(factor, s.mscale_all_dim) : mscale(factor);
  const pairOf = (turns: number) => (width * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [low, high] = [pairOf(s.beta_fast ?? 32), pairOf(s.beta_slow ?? 1)];
  const whole = s.truncate ?? true;
  const from = Math.max(whole ? Math.floor(low) : low, 0);
  const to = Math.min(whole ? Math.ceil(high) : high, width - 1);
  const span = from === to ? 0.001 : to - from;
  const frequencies = wavelengths(theta, width).map((length, i) => {
    const stretched = Math.fround(Math.min(1, Math.max(0, (i - from) / span)));
    return Math.fround(1 / Math.fround(factor * length)) * stretched + Math.fround(1 / length) * (1 - stretched);
  });
  return { frequencies, long: null, factor: s.attention_factor ?? inferred };
}

/** Ding et al. 2024, "LongRoPE": a factor for each pair, others for long texts than for short ones. */
function longRope(s: Scaling, theta: number, width: number, original: number, factor: number): Rotary {
  const divided = (key: 'short_factor' | 'long_factor') => {
    const own = s[key];
    if (own?.length === width / 2)
      return wavelengths(theta, width).map((x, i) => 1 / Math.fround(x * (own[i] as number)));
    throw new EngineError(
      'bad-model',
      `config.json: rope_parameters.${key}: must hold ${width / 2} numbers.`,
      'Use the config.json that came with the weights.',
      { key: `rope_parameters.${key}` },
    );
  };
  return {
    frequencies: divided('short_factor'),
    long: { frequencies: divided('long_factor'), beyond: original },
    factor: s.attention_factor ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))),
  };
}

/** Llama 3.1: slow turns are stretched, fast ones stay, those between go over smoothly. */
function llama3(s: Scaling, theta: number, width: number, original: number): Rotary {
  const [factor, slow, fast] = [needed(s, 'factor'), needed(s, 'low_freq_factor'), needed(s, 'high_freq_factor')];
  const frequencies = wavelengths(theta, width).map((x) => {
    const frequency = Math.fround(1 / x);
    const wavelength = Math.fround((2 * Math.PI) / frequency);
    if (wavelength < original / fast) return frequency;
    if (wavelength > original / slow) return frequency / factor;
    const smooth = (original / wavelength - slow) / (fast - slow);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
  return { frequencies, long: null, factor: 1 };
}

/**
 * Reads how positions rotate heads of `width`. `positions`: max_position_embeddings.
 * Throws EngineError 'bad-model' naming the key of config.json and what is allowed.
 */
export function readRotary(config: z.output<typeof rotaryConfig>, width: number, positions: number): Rotary {
  const s = config.rope_parameters ?? config.rope_scaling ?? {};
  const theta = s.rope_theta ?? config.rope_theta ?? 10_000;
  const type = s.rope_type ?? s.type ?? 'default';
  const original = config.original_max_position_embeddings ?? s.original_max_position_embeddings ?? positions;
  const factor = () => s.factor ?? positions / original;
  switch (type) {
    case 'default':
    // Stretches for texts beyond max_position_embeddings only, which the engine does not take.
    case 'dynamic':
      return { frequencies: wavelengths(theta, width).map((x) => 1 / x), long: null, factor: 1 };
    case 'linear': {
      const by = needed(s, 'factor');
      return { frequencies: wavelengths(theta, width).map((x) => Math.fround(1 / x) / by), long: null, factor: 1 };
    }
    case 'yarn':
      return yarn(s, theta, width, original, factor());
    case 'longrope':
      return longRope(s, theta, width, original, factor());
    case 'llama3':
      return llama3(s, theta, width, original);
    default:
      throw new EngineError(
        'bad-model',
        `config.json: rope_parameters.rope_type: "${type}" is not supported.`,
        'Supported: default, linear, dynamic, yarn, longrope, llama3.',
        { key: 'rope_parameters.rope_type' },
      );
  }
}

export interface Angles {
  /** [rows, width / 2] */
  readonly cos: Value;
  readonly sin: Value;
}

/** Cosine and sine of each row's turns. */
export function anglesOf(b: Builder, { frequencies, long, factor }: Rotary): Angles {
  const { g } = b;
  const positions = g.cast(rowPositions(b), 'float32');
  const pairs = frequencies.length;
  let turns = g.constant(frequencies, [1, pairs]);
  if (long) {
    // 0 for texts that end before `beyond`, else 1
    const last = g.reshape(g.reduceMax(positions, [0]), [1]);
    const which = g.cast(g.sign(g.relu(g.sub(last, g.scalar(long.beyond - 1)))), 'int64');
    turns = g.gather(g.constant(Float32Array.of(...frequencies, ...long.frequencies), [2, pairs]), which);
  }
  const angles = g.mul(g.reshape(positions, [positions.type.shape[0] as number, 1]), turns);
  return { cos: g.scale(g.cos(angles), factor), sin: g.scale(g.sin(angles), factor) };
}
