/** A random BERT of a few ten thousand parameters in a Hugging Face folder, and rows it can learn: for tests that need something real and fast. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TinyModelOptions {
  readonly layers?: number; // 2
  readonly hiddenSize?: number; // tinyHiddenSize
  readonly heads?: number; // 2
  readonly intermediateSize?: number; // 64
  readonly maxPositions?: number; // 64
  readonly dropout?: number; // 0.1
  readonly seed?: number; // 1
  /** Prefix of the weight names: '' as BertModel saves, 'bert.' as models with a head save. */
  readonly prefix?: '' | 'bert.';
  /** Which tokenizer files to write. */
  readonly tokenizer?: 'json' | 'vocab' | 'both'; // both
}

const topics = {
  animal: ['cat', 'dog', 'horse', 'sparrow', 'whale', 'beetle', 'fox', 'owl', 'salmon', 'goat'],
  food: ['bread', 'soup', 'cheese', 'apple', 'pepper', 'honey', 'rice', 'butter', 'salad', 'plum'],
  tool: ['hammer', 'saw', 'drill', 'wrench', 'chisel', 'pliers', 'ladder', 'anvil', 'file', 'clamp'],
} as const;
const filler = [
  'the',
  'a',
  'old',
  'small',
  'near',
  'with',
  'and',
  'was',
  'seen',
  'very',
  'good',
  'on',
  'table',
  'in',
  'house',
  'today',
  'not',
  'far',
  'from',
  'here',
];
/** Width of the tiny model, where a test asks for no other. */
export const tinyHiddenSize = 32;

export const tinyLabels: readonly string[] = Object.keys(topics).sort();

/** Uniform numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface TinyRow {
  readonly id: number;
  readonly text: string;
  readonly pair: string | null;
  readonly label: string;
}

/** Short sentences whose label is the topic of two of their words; seeded. Lengths vary from 5 to 14 words. */
export function tinyRows(count: number, seed = 1): TinyRow[] {
  const next = uniforms(seed);
  const pick = (from: readonly string[]) => from[Math.floor(next() * from.length)] ?? '';
  return Array.from({ length: count }, (_, id) => {
    const label = pick(tinyLabels);
    const words = Array.from({ length: 3 + Math.floor(next() * 10) }, () => pick(filler));
    const own = Object.entries(topics).find(([topic]) => topic === label)?.[1] ?? [];
    for (let place = 0; place < 2; place += 1) words.splice(Math.floor(next() * words.length), 0, pick(own));
    return { id, text: words.join(' '), pair: null, label };
  });
}

/** Rows as the JSON Lines of a split file. */
export const asJsonLines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** The tiny model's WordPiece vocabulary, in id order. */
export function tinyVocabulary(): string[] {
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
  return [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    '.',
    ',',
    '!',
    '?',
    ...filler.filter((word) => word.length > 1),
    ...Object.values(topics).flat(),
  ];
}

/** Writes the folder (config.json, tokenizer files, model.safetensors) and returns its path. */
export async function makeTinyModel(folder: string, options: TinyModelOptions = {}): Promise<string> {
  const {
    layers = 2,
    hiddenSize = tinyHiddenSize,
    heads = 2,
    intermediateSize = 64,
    maxPositions = 64,
    dropout = 0.1,
    seed = 1,
    prefix = '',
    tokenizer = 'both',
  } = options;
  const vocabulary = tinyVocabulary();
  await mkdir(folder, { recursive: true });
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value, null, 2));
  await write('config.json', {
    architectures: [prefix === '' ? 'BertModel' : 'BertForMaskedLM'],
    model_type: 'bert',
    vocab_size: vocabulary.length,
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediateSize,
    hidden_act: 'gelu',
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
    max_position_embeddings: maxPositions,
    type_vocab_size: 2,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
  });
  await write('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    model_max_length: maxPositions,
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    mask_token: '[MASK]',
  });
  if (tokenizer !== 'json') await writeFile(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`);
  if (tokenizer !== 'vocab') await write('tokenizer.json', tokenizerJson(vocabulary));
  await writeFile(join(folder, 'model.safetensors'), safetensors(weights()));
  return folder;

  function weights(): [string, number[], Float32Array][] {
    const next = uniforms(seed);
    // 0.08 instead of BERT's 0.02: at width 32 the signal would be lost in LayerNorm's noise.
    const normal = (...shape: number[]) =>
      filled(shape, () => 0.08 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
    const tensors: [string, number[], Float32Array][] = [];
    const add = (name: string, [shape, data]: [number[], Float32Array]) =>
      tensors.push([`${prefix}${name}`, shape, data]);
    const linear = (name: string, rows: number, columns: number) => {
      add(`${name}.weight`, normal(rows, columns));
      add(`${name}.bias`, normal(rows));
    };
    const norm = (name: string) => {
      add(
        `${name}.weight`,
        filled([hiddenSize], () => 1 + 0.1 * (next() - 0.5)),
      );
      add(`${name}.bias`, normal(hiddenSize));
    };
    add('embeddings.word_embeddings.weight', normal(vocabulary.length, hiddenSize));
    add('embeddings.position_embeddings.weight', normal(maxPositions, hiddenSize));
    add('embeddings.token_type_embeddings.weight', normal(2, hiddenSize));
    norm('embeddings.LayerNorm');
    for (let layer = 0; layer < layers; layer += 1) {
      const at = `encoder.layer.${layer}`;
      for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hiddenSize, hiddenSize);
      linear(`${at}.attention.output.dense`, hiddenSize, hiddenSize);
      norm(`${at}.attention.output.LayerNorm`);
      linear(`${at}.intermediate.dense`, intermediateSize, hiddenSize);
      linear(`${at}.output.dense`, hiddenSize, intermediateSize);
      norm(`${at}.output.LayerNorm`);
    }
    linear('pooler.dense', hiddenSize, hiddenSize);
    return tensors;
  }
}

function filled(shape: number[], value: () => number): [number[], Float32Array] {
  return [shape, Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, value)];
}

function tokenizerJson(vocabulary: readonly string[]): object {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const token = (id: string, typeId: number) => ({ SpecialToken: { id, type_id: typeId } });
  const sequence = (id: string, typeId: number) => ({ Sequence: { id, type_id: typeId } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [token('[CLS]', 0), sequence('A', 0), token('[SEP]', 0)],
      pair: [token('[CLS]', 0), sequence('A', 0), token('[SEP]', 0), sequence('B', 1), token('[SEP]', 1)],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  };
}

/** The format's own layout, written apart from the app's writer so that a test does not check a writer with itself. */
function safetensors(tensors: readonly [string, number[], Float32Array][]): Buffer {
  let offset = 0;
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  for (const [name, shape, data] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([
    length,
    text,
    ...tensors.map(([, , data]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}
