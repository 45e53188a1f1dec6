/** What comes with base models: weights, config.json, tokenizers, ONNX files. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { openTokenizer, openChatTemplate, stopTokens, tokenizerIdentity } from '../../../electron/data/index.js';
import {
  createTrainer,
  describeHead,
  openModel,
  openOnnx,
  openWeights,
  readSafetensors,
  type BaseModelInfo,
  type NamedTensors,
} from '../../../electron/engine/index.js';
import { makeTinyModel } from '../../helpers/tiny-model.js';
import { exportFolder } from '../../../electron/interchange/index.js';
import type { FileSet, Subject } from '../subject.js';

export const oracle = (...path: string[]) => join('test', 'fixtures', 'oracle', ...path);

/** The files of a folder, of its folders too. */
export async function filesOf(folder: string, within = ''): Promise<FileSet> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(join(folder, within), { withFileTypes: true })) {
    const name = within === '' ? entry.name : `${within}/${entry.name}`;
    if (entry.isDirectory()) for (const [inner, bytes] of await filesOf(folder, name)) found.set(inner, bytes);
    else found.set(name, await readFile(join(folder, name)));
  }
  return found;
}

const pickFiles = async (folder: string, names: RegExp): Promise<FileSet> =>
  new Map([...(await filesOf(folder))].filter(([name]) => names.test(name)));

const sharded = ['bert-sharded', 'llama-sharded'];
const models = [
  'bert',
  'bert-legacy',
  'bert-plain',
  'bert-float16',
  'roberta',
  'distilbert',
  'gpt2',
  'llama-sharded',
  'qwen2',
  'qwen3',
];

const safetensors: Subject = {
  name: 'safetensors',
  share: 14,
  seeds: async () => [
    new Map([['w.safetensors', await readFile(oracle('training', 'bitfit-distilbert.safetensors'))]]),
    new Map([['w.safetensors', await readFile(oracle('formats', 'peft-lora-bert', 'adapter_model.safetensors'))]]),
  ],
  made: fc
    .tuple(fc.json(), fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0, 0, 0, 1, -1, 1e6))
    .map(([json, data, lie]) => {
      const header = Buffer.from(json);
      const length = Buffer.alloc(8);
      length.writeBigInt64LE(BigInt(header.length + lie));
      return new Map([['w.safetensors', Buffer.concat([length, header, Buffer.from(data)])]]);
    }),
  read: async (folder) => void (await readSafetensors(join(folder, 'w.safetensors'))),
};

const shards: Subject = {
  name: 'sharded',
  share: 6,
  seeds: () => Promise.all(sharded.map((name) => pickFiles(oracle('models', name), /safetensors/))),
  async read(folder) {
    const weights = await openWeights(folder);
    for (const name of [...weights.entries.keys()].slice(0, 3)) await weights.read(name);
  },
};

const config: Subject = {
  name: 'config',
  share: 9,
  seeds: () => Promise.all(models.map((name) => pickFiles(oracle('models', name), /^config\.json$|safetensors/))),
  read: async (folder) => void describeHead(await openModel(folder)),
};

const pattern = { Regex: String.raw`[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+` };
const around = [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
const token = { id: '[CLS]', ids: [2], tokens: ['[CLS]'] };
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
/** What tokenizers may be made of, so that each part is changed at times. */
const partsOfAllKinds = [
  {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFKC' },
        { type: 'Strip', strip_left: true, strip_right: true },
        { type: 'StripAccents' },
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        { type: 'Replace', pattern, content: 'ab' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern, behavior: 'Isolated', invert: false },
        { type: 'Digits', individual_digits: true },
        { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
        { type: 'Punctuation', behavior: 'Contiguous' },
      ],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
  },
  {
    truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 1 },
    padding: {
      strategy: { Fixed: 6 },
      direction: 'Right',
      pad_to_multiple_of: 4,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '[PAD]',
    },
    normalizer: { type: 'NFD' },
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'Sequence',
      processors: [
        byteLevel,
        {
          type: 'TemplateProcessing',
          single: around,
          pair: [...around, { Sequence: { id: 'B', type_id: 1 } }],
          special_tokens: { '[CLS]': token },
        },
      ],
    },
    decoder: byteLevel,
  },
  {
    pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: 'a' },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['[SEP]', 3],
      cls: ['[CLS]', 2],
      trim_offsets: true,
      add_prefix_space: true,
    },
    model: {
      type: 'Unigram',
      unk_id: 0,
      byte_fallback: false,
      vocab: ['[UNK]', '[PAD]', '[CLS]', '[SEP]', 'a', 'the', 'ol', 'd'].map((text, i) => [text, -i]),
    },
  },
  {
    pre_tokenizer: { type: 'Whitespace' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '[UNK]',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: { '[UNK]': 0, '[PAD]': 1, '[CLS]': 2, '[SEP]': 3, a: 4, b: 5, ab: 6, o: 7, l: 8, ol: 9 },
      merges: ['a b', 'o l'],
    },
  },
  {
    model: { type: 'WordLevel', unk_token: '[UNK]', vocab: { '[UNK]': 0, '[PAD]': 1, '[CLS]': 2, '[SEP]': 3, the: 4 } },
  },
];

const tokenizer: Subject = {
  name: 'tokenizer',
  share: 12,
  async seeds(work) {
    const both = await filesOf(await makeTinyModel(join(work, 'tiny'), { tokenizer: 'both' }));
    const without = (...names: string[]) => new Map([...both].filter(([name]) => !names.includes(name)));
    const real = await Promise.all(
      ['bert', 'roberta', 'gpt2', 'llama', 'qwen2'].map((name) =>
        pickFiles(
          oracle('models', name),
          /^(config|tokenizer|tokenizer_config|vocab|special_tokens_map)\.json$|\.txt$|jinja$/,
        ),
      ),
    );
    const chat = {
      ...(JSON.parse(String(both.get('tokenizer_config.json'))) as object),
      chat_template: "{% for m in messages %}{{ m['content'] }}{% endfor %}",
    };
    return [
      ...partsOfAllKinds.map((parts) => {
        const whole = JSON.parse(String(both.get('tokenizer.json'))) as object;
        return new Map([
          ...without('model.safetensors', 'vocab.txt'),
          ['tokenizer.json', Buffer.from(JSON.stringify({ ...whole, ...parts }))],
        ]);
      }),
      without('model.safetensors', 'vocab.txt'),
      without('model.safetensors', 'tokenizer.json'),
      new Map([
        ...without('model.safetensors', 'vocab.txt'),
        ['tokenizer_config.json', Buffer.from(JSON.stringify(chat))],
      ]),
      ...real.filter((files) => files.size > 1),
    ];
  },
  async read(folder) {
    await tokenizerIdentity(folder);
    const opened = await openTokenizer(folder);
    await opened.lengths([{ text: `${' '.repeat(3000)}x${'a'.repeat(3000)}!`, pair: null }]);
    await opened.encode(
      [
        { text: 'the old sparrow, \u{1F600} here', pair: null },
        { text: '', pair: 'cat' },
      ],
      8,
    );
    await opened.lengths([{ text: 'a house', pair: null }]);
    await opened.text([0, 1, 5], true);
    await opened.frame(true);
    await stopTokens(folder, opened);
    (await openChatTemplate(folder, opened)).render([{ role: 'user', content: 'hello' }], true);
  },
};

const onnx: Subject = {
  name: 'onnx',
  share: 4,
  async seeds(work) {
    const model = await openModel(
      await makeTinyModel(join(work, 'small'), { layers: 1, hiddenSize: 8, intermediateSize: 8, maxPositions: 16 }),
    );
    await exportFolder(
      'onnx',
      { model, method: { type: 'head' }, labels: ['a', 'b'], parameters: await headOf(model), maxLength: 8 },
      join(work, 'onnx'),
    );
    return [new Map([['model.onnx', await readFile(join(work, 'onnx', 'model.onnx'))]])];
  },
  async read(folder) {
    const opened = await openOnnx(join(folder, 'model.onnx'), { of: 'texts', classes: 2 });
    try {
      await opened.predict({
        size: 1,
        sequence: 3,
        inputIds: Int32Array.of(2, 80, 3),
        attentionMask: Int32Array.of(1, 1, 1),
        tokenTypeIds: new Int32Array(3),
        labels: Int32Array.of(0),
        weights: null,
      });
    } finally {
      await opened.dispose();
    }
  },
};

/** A head's parameters from its start. */
export async function headOf(model: BaseModelInfo): Promise<NamedTensors> {
  const trainer = await createTrainer({
    model,
    method: { type: 'head' },
    objective: { type: 'classification', labels: ['a', 'b'] },
    optimizer: { type: 'sgd', weightDecay: 0, gradientClip: null },
    modelDropout: 0,
    seed: 1,
    device: 'cpu',
    threads: 1,
    steps: 1,
  });
  const parameters = trainer.parameters();
  await trainer.dispose();
  return parameters;
}

export const modelSubjects: readonly Subject[] = [safetensors, shards, config, tokenizer, onnx];
