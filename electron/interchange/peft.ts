/**
 * Folders of Hugging Face peft: adapter_config.json and adapter_model.safetensors. Here is what every method has in common: names,
 * the head, labels, the common keys. What a method's own keys and tensors mean stands in its file (`peft` of a method).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';
import {
  architectureOf,
  isDecoder,
  describeHead,
  missingOfLanguageModel,
  peftFormats,
  planParameters,
  readSafetensors,
  validateMethod,
  writeSafetensors,
  type BaseModelInfo,
  type MethodSpec,
  type NamedTensors,
  type PeftContext,
  type PeftFormat,
} from '../engine/index.js';
import { peftCard } from './cards.js';
import { namesIn, readJson, writeJson } from './files.js';
import { checkTensors, inFile } from './fit.js';
import { fullModule, isHead, splitHead, targetNames } from './targets.js';
import {
  headClass,
  marksTable,
  outputsOf,
  problemOf,
  problemTypes,
  type ExportSource,
  type LoadedFolder,
  type Marks,
} from './types.js';

const weightsName = 'adapter_model.safetensors';
const configName = 'adapter_config.json';
/** Before the names of a model whose modules are wrapped, and of one that only gets a prompt. */
const prefixes = { wrapped: 'base_model.model.', prompted: 'base_model.' } as const;
/** The safetensors metadata entry that names the classes: peft's own config has no place for them. */
const labelsKey = 'labels';
/** And the one that says what the head is for, by transformers' name; it stands in the model's config there, not in the adapter's. */
const problemKey = 'problem_type';

/** What a method's codec may look at on a base. */
export const contextOf = (model: BaseModelInfo): PeftContext => ({
  model,
  architecture: architectureOf(model.architecture),
  targetNames: (modules) => targetNames(model, modules),
});

const titles = () =>
  peftFormats()
    .map(({ title }) => title)
    .join(', ');

/** Writes a run of a method that peft has. @throws StudioError or EngineError `bad-input` for another one, or for options that peft lacks */
export async function exportPeft({ parameters, maxLength, ...source }: ExportSource, folder: string): Promise<void> {
  const { model, method, labels, verbalizer, problem = null, marks = null } = source;
  const found = peftFormats().find(({ type }) => type === method.type);
  if (!found)
    throw new StudioError(
      'bad-input',
      `The peft format does not hold "${method.type}"; it holds ${titles()}.`,
      'Choose another format.',
      { method: method.type },
    );
  const { format, title } = found;
  const headless = marks === null && outputsOf(source) === null;
  if (headless && format.promptLearning && architectureOf(model.architecture).reads === 'first')
    throw new StudioError(
      'bad-input',
      `peft puts no virtual tokens before a masked language model, which this run on ${model.architecture} needs.`,
      "Export it in the studio's own format.",
      { method: method.type },
    );
  const { adapter, head } = splitHead(model, parameters);
  const made = headless && !verbalizer ? missingOfLanguageModel(model) : null;
  if (made !== null)
    throw new StudioError(
      'bad-input',
      `The base has no language-model head, so the run made one, and peft's folders have no place for it (${made}).`,
      "Export it merged, or in the studio's own format.",
      { tensor: made },
    );
  const written = format.write(validateMethod(method), adapter, contextOf(model));
  const prefix = format.promptLearning ? prefixes.prompted : prefixes.wrapped;
  const named = [...written.tensors, ...head].map(
    ([name, tensor]) => [format.modelTensors?.includes(name) ? name : `${prefix}${name}`, tensor] as const,
  );
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, weightsName), new Map(named), {
    format: 'pt',
    ...(labels === null ? {} : { [labelsKey]: JSON.stringify(labels) }),
    ...(problem === null ? {} : { [problemKey]: problemTypes[problem] }),
  });
  const config = {
    auto_mapping: null,
    base_model_name_or_path: model.folder,
    inference_mode: true,
    modules_to_save: headless ? null : savedModules(parameters, marks),
    peft_type: format.peftType,
    revision: null,
    // peft has no task of masked language models: such an adapter goes without one.
    task_type: headless ? (isDecoder(model) ? 'CAUSAL_LM' : null) : marks ? marksTable[marks].taskType : 'SEQ_CLS',
    ...written.config,
  };
  await writeJson(
    join(folder, configName),
    Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  const facts = {
    ...source,
    maxLength,
    ...describeHead(model),
    classifierClass: headClass(describeHead(model).classifierClass, marks),
    method: title,
    note: written.note ?? null,
  };
  await writeFile(join(folder, 'README.md'), peftCard(facts));
}

/** peft's own list for classifiers (each also catches modules whose name contains it), and a pooler that the base lacked and so was trained. */
export function savedModules(parameters: Pick<NamedTensors, 'keys'>, marks: Marks | null): string[] {
  if (marks) return [...marksTable[marks].modules];
  return [...parameters.keys()].some((name) => name.includes('.pooler.'))
    ? ['classifier', 'score', 'pooler']
    : ['classifier', 'score'];
}

/** Is this a folder that peft wrote? */
export const isPeftFolder = (names: ReadonlySet<string>, config: unknown): boolean =>
  names.has(configName) && z.looseObject({ peft_type: z.string() }).safeParse(config).success;

/**
 * Reads an adapter's folder against its base.
 * @throws StudioError `bad-file` for pickled weights, options that the engine's method does not have, and tensors that do not fit the base
 */
export async function readPeft(folder: string, model: BaseModelInfo): Promise<LoadedFolder> {
  const configPath = join(folder, configName);
  const { peft_type: peftType } = await readJson(configPath, z.looseObject({ peft_type: z.string() }));
  const found = peftFormats().find(({ format }) => format.peftType === peftType);
  if (!found)
    throw new StudioError(
      'bad-file',
      `${configPath}: peft_type: "${peftType}" is not supported; this program reads ${peftFormats()
        .map(({ format }) => format.peftType)
        .join(', ')}.`,
      'Choose an adapter of one of these kinds.',
      { file: configPath, field: 'peft_type' },
    );
  const { format, title } = found;
  const config = await readJson(configPath, format.config);
  const path = join(folder, weightsName);
  const names = await namesIn(folder);
  if (!names.has(weightsName)) {
    const hint = names.has('adapter_model.bin')
      ? 'Pickled weights are never opened. Load the adapter in peft and save it again with model.save_pretrained(folder, safe_serialization=True).'
      : 'Add the missing file.';
    throw new StudioError('bad-file', `${path}: there is no such file.`, hint, { file: path });
  }
  const { tensors, metadata } = await readSafetensors(path);
  const [own, head]: [NamedTensors, NamedTensors] = [new Map(), new Map()];
  for (const [name, tensor] of tensors) {
    const known = knownName(path, name, model, format, title);
    (known.head ? head : own).set(known.name, tensor);
  }
  if (own.size === 0)
    throw new StudioError('bad-file', `${path} holds no tensors of ${title}.`, 'Choose a folder that peft saved.', {
      file: path,
    });
  const { method, parameters } = inFile(configPath, () => format.read(config, own, contextOf(model)));
  checkAdded(path, parameters, model, method, format);
  return {
    kind: 'peft',
    method,
    labels: labelsIn(metadata[labelsKey]),
    problem: problemOf(metadata[problemKey]),
    parameters: new Map([...parameters, ...head]),
  };
}

/** A tensor's name with the base's full module path, whatever wrappers and prefixes the file has. */
function knownName(
  path: string,
  name: string,
  model: BaseModelInfo,
  format: PeftFormat,
  title: string,
): { name: string; head: boolean } {
  if (format.modelTensors?.includes(name)) return { name, head: false };
  const prefix = Object.values(prefixes).find((start) => name.startsWith(start)) ?? '';
  const bare = name.slice(prefix.length).replace(/\.(modules_to_save(\.default)?|original_module)\./, '.');
  // peft's live names hold the adapter's: lora_A.default.weight, ia3_l.default.
  const plain = bare.replace(/\.default(?=\.|$)/, '');
  const part = format.moduleTensors?.find((end) => plain.endsWith(`.${end}`));
  if (part === undefined) {
    if (isHead(model, bare)) return { name: bare, head: true };
    throw new StudioError(
      'bad-file',
      `${path}: "${name}" is neither a tensor of ${title} nor part of the head of ${model.architecture}.`,
      'Load an adapter of a sequence classifier of this architecture.',
      { file: path, tensor: name },
    );
  }
  const module = fullModule(model, describeHead(model).prefix, plain.slice(0, -part.length - 1));
  if (module === null)
    throw new StudioError(
      'bad-file',
      `${path}: "${name}" belongs to a module that the base model does not have.`,
      `Choose the base model that the adapter was trained on; this one is ${model.architecture} of ${model.layers} layers.`,
      { file: path, tensor: name },
    );
  return { name: `${module}.${part}`, head: false };
}

/** Names and shapes against what the method adds to this base. */
function checkAdded(
  path: string,
  parameters: NamedTensors,
  model: BaseModelInfo,
  method: MethodSpec,
  format: PeftFormat,
): void {
  const objective = { type: 'classification', labels: ['a', 'b'] } as const;
  const plan = inFile(path, () => planParameters({ model, method, objective, steps: 0 }));
  const added = plan.filter(({ part }) => part === 'added');
  checkTensors(path, parameters, added, method, (name) => {
    const part = format.moduleTensors?.find((end) => name.endsWith(`.${end}`)) ?? name;
    return { part, module: part === name ? 'the file' : name.slice(0, -part.length - 1) };
  });
}

function labelsIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return null; // Metadata of another program under the same name: the labels are simply not known.
  }
}
