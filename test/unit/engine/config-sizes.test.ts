/** A config.json with sizes that no model has, or that its weights do not have, is refused at once and by name. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../electron/engine/index.js';
import { oracleFolder } from '../../helpers/oracle.js';

const bert = [
  'vocab_size',
  'hidden_size',
  'num_hidden_layers',
  'num_attention_heads',
  'intermediate_size',
  'max_position_embeddings',
  'type_vocab_size',
];
const llama = [...bert.slice(0, -1), 'num_key_value_heads', 'head_dim'];
const models: readonly (readonly [folder: string, keys: readonly string[]])[] = [
  ['models/bert', bert],
  ['models/roberta', bert],
  ['models/distilbert', ['vocab_size', 'dim', 'n_layers', 'n_heads', 'hidden_dim', 'max_position_embeddings']],
  ['models/gpt2', ['vocab_size', 'n_embd', 'n_layer', 'n_head', 'n_inner', 'n_positions']],
  ['models/llama', llama],
  ['models/qwen2', [...llama, 'sliding_window']],
  ['models/qwen3', [...llama, 'sliding_window']],
];
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'config-sizes-'));
});
afterAll(() => rm(scratch, { recursive: true }));

describe.each(models)('%s', (name, keys) => {
  const folder = () => join(scratch, name);
  let config: Record<string, unknown>;
  beforeAll(async () => {
    await cp(join(oracleFolder, name), folder(), { recursive: true });
    config = JSON.parse(await readFile(join(folder(), 'config.json'), 'utf8')) as Record<string, unknown>;
  });
  async function opened(changed: Record<string, unknown>): Promise<{ error: unknown; seconds: number }> {
    await writeFile(join(folder(), 'config.json'), JSON.stringify({ ...config, ...changed }));
    const start = performance.now();
    const error: unknown = await openModel(folder()).then(
      () => null,
      (reason: unknown) => reason,
    );
    return { error, seconds: (performance.now() - start) / 1000 };
  }

  it.each(keys)('refuses an absurd %s', async (key) => {
    for (const value of [1e9, 1e12, Number.MAX_SAFE_INTEGER]) {
      const { error, seconds } = await opened({ [key]: value });
      expect(error).toMatchObject({
        code: 'bad-model',
        message: expect.stringMatching(
          new RegExp(`config\\.json: ${key}: is more than the [\\d,]+ that this app takes`),
        ) as string,
        hint: 'Use the config.json that came with the weights.',
        context: { key },
      });
      expect(seconds).toBeLessThan(1);
    }
    for (const [value, message] of [
      [0, 'must be at least 1'],
      [-3, 'must be at least 1'],
      [1.5, 'must be a whole number'],
    ] as const)
      expect((await opened({ [key]: value })).error).toMatchObject({
        code: 'bad-model',
        message: `config.json: ${key}: ${message}.`,
      });
  });

  it('opens as it is, and refuses sizes that its weights do not have', async () => {
    expect((await opened({})).error).toBeNull();
    const layers = keys.find((key) => /layer/.test(key)) as string;
    const width = keys.find((key) => /^(hidden_size|dim|n_embd)$/.test(key)) as string;
    const seconds: number[] = [];
    for (const changed of [
      { [layers]: 1000, layer_types: undefined },
      { [layers]: (config[layers] as number) + 1, layer_types: undefined },
      { [width]: 65_536 },
      { vocab_size: 16_000_000 },
    ]) {
      const answer = await opened(changed);
      expect(answer.error).toMatchObject({ code: 'bad-model', message: expect.stringContaining(folder()) as string });
      seconds.push(answer.seconds);
    }
    expect(Math.max(...seconds)).toBeLessThan(2);
  });
});
