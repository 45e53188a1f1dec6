/**
 * Compositions as AdapterHub's library saves and loads them (`save_adapter_setup`): a folder with the composition block, a folder
 * for each adapter, one for a fusion's attention, and the head beside them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  composeAdapters,
  describeHead,
  hubSetupOf,
  planParameters,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type WeightedAdapter,
} from '../engine/index.js';
import {
  aboutBase,
  readHubAdapter,
  readHubHead,
  readHubWeights,
  writeHubAdapter,
  writeHubHead,
  writeHubWeights,
} from './adapterhub-parts.js';
import { adapterHubSetupCard } from './cards.js';
import { readJson, writeJson } from './files.js';
import { checkTensors, inFile } from './fit.js';
import { splitHead } from './targets.js';
import type { ExportSource, LoadedFolder } from './types.js';

const files = {
  setup: 'adapter_setup.json',
  fusionConfig: 'adapter_fusion_config.json',
  fusion: 'model_adapter_fusion.safetensors',
  fusionBin: 'pytorch_model_adapter_fusion.bin',
} as const;

/** What the library puts before a fusion's name in the names of its tensors. */
const fusionHolder = '.adapter_fusion_layer.';
/** And the engine, at the same place. */
const ownHolder = '.adapters';

/** @throws StudioError `bad-input` with the reason where the library has no such composition */
export async function exportHubSetup(source: ExportSource, folder: string): Promise<void> {
  const { model, method, parameters } = source;
  const found = hubSetupOf(method);
  if (!found) throw new StudioError('internal', `"${method.type}" is no composition.`);
  if (found.reason !== null)
    throw new StudioError('bad-input', found.reason, 'Choose another format.', { method: method.type });
  const { block, attention } = found.setup;
  const { adapter, head } = splitHead(model, parameters);
  const parts = found.parts(adapter);
  const names = parts.map((_, index) => `part${index + 1}`);
  await mkdir(folder, { recursive: true });
  const notes = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const name = names[index] ?? '';
    const { note } = await writeHubAdapter({ model, ...part }, join(folder, name), name);
    if (note !== undefined) notes.add(note);
  }
  if (attention) {
    const name = names.join(',');
    const within = join(folder, name);
    await mkdir(within, { recursive: true });
    await writeJson(join(within, files.fusionConfig), {
      adapter_names: names,
      config: attention.config,
      name,
      ...aboutBase(model),
    });
    const own = `${ownHolder}${attention.module}`;
    const tensors = new Map(
      [...adapter].flatMap(([key, tensor]) =>
        key.includes(own) ? [[key.replace(own, `${fusionHolder}${name}.`), tensor] as const] : [],
      ),
    );
    await writeHubWeights(within, files.fusion, files.fusionBin, tensors);
  }
  const { version } = aboutBase(model);
  await writeJson(join(folder, files.setup), {
    adapter_setup: { type: block, children: names.map((name) => ({ type: 'single', children: [name] })) },
    head_setup: true,
    version,
  });
  await writeHubHead(source, head, folder);
  const { classifierClass } = describeHead(model);
  await writeFile(
    join(folder, 'README.md'),
    adapterHubSetupCard({
      ...source,
      classifierClass,
      block,
      names,
      method: found.title,
      note: notes.size > 0 ? [...notes].join('\n\n') : null,
    }),
  );
}

const setupSchema = z.looseObject({
  adapter_setup: z.looseObject({
    type: z.enum(['Stack', 'Fuse'], 'only Stack and Fuse are supported'),
    children: z
      .array(
        z.looseObject({
          type: z.literal('single', 'a block inside another is not supported'),
          // A folder inside this one, and no way out of it.
          children: z.tuple([
            z
              .string()
              .regex(/^[^/\\]+$/, 'is no name')
              .refine((name) => !/^\.+$/.test(name), 'is no name'),
          ]),
        }),
      )
      .min(1),
  }),
});

export const isHubSetup = (names: ReadonlySet<string>): boolean => names.has(files.setup);

/**
 * Reads a composition against its base.
 * @throws StudioError `bad-file` for blocks, adapters or a fusion that this program does not compute
 */
export async function readHubSetup(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const path = join(folder, files.setup);
  const { adapter_setup: setup } = await readJson(path, setupSchema);
  const names = setup.children.map(({ children: [name] }) => name);
  const kind = setup.type === 'Stack' ? 'stack' : 'fusion';
  const parts: WeightedAdapter[] = [];
  for (const name of names) parts.push({ ...(await readHubAdapter(join(folder, name), model)), weight: 1, name });
  const { method, parameters } = inFile(path, () => composeAdapters({ kind }, parts, () => false));
  const { head, labels, problem } = await readHubHead(folder);
  const own = await readAttention(folder, names, method);
  const adapter: NamedTensors = new Map([...parameters, ...own]);
  const objective = { type: 'classification', labels: ['a', 'b'] } as const;
  const plan = inFile(path, () => planParameters({ model, method, objective, steps: 0 }));
  checkTensors(
    path,
    adapter,
    plan.filter(({ part }) => part === 'added'),
    method,
  );
  return { kind: 'adapterhub', method, parameters: new Map([...adapter, ...head]), labels, problem };
}

async function readAttention(folder: string, names: readonly string[], method: MethodSpec): Promise<NamedTensors> {
  const attention = hubSetupOf(method)?.setup.attention;
  if (!attention) return new Map();
  const name = names.join(',');
  const within = join(folder, name);
  const config = z.looseObject(
    Object.fromEntries(
      Object.entries(attention.config).map(([key, value]) => [
        key,
        z.literal(value, `only ${JSON.stringify(value)} is supported`),
      ]),
    ),
  );
  await readJson(join(within, files.fusionConfig), z.looseObject({ config }));
  const tensors = await readHubWeights(within, files.fusion, files.fusionBin);
  return new Map(
    [...tensors].map(([key, tensor]) => [
      key.replace(`${fusionHolder}${name}.`, `${ownHolder}${attention.module}`),
      tensor,
    ]),
  );
}
