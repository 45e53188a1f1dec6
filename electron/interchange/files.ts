/** JSON in and out, and the files of a tokenizer. */
import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '../contract/errors.js';

/** Reads a JSON file by its schema. @throws StudioError `bad-file` naming file, key and what is expected */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new StudioError(
      'bad-file',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      'Take the folder again from where it came.',
      { file: path },
      { cause: error },
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StudioError(
    'bad-file',
    `${path}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not as expected'}.`,
    'This kind of folder is not supported; see the help for what can be loaded.',
    { file: path, field: issue?.path.join('.') ?? '' },
  );
}

/** @param floats keys whose whole numbers are written as 1.0: Python programs tell int and float apart */
export async function writeJson(path: string, value: unknown, floats: readonly string[] = []): Promise<void> {
  const text = JSON.stringify(value, null, 2).replace(
    /^(\s*"([^"]+)": -?\d+)(,?)$/gm,
    (line, number: string, key: string, comma: string) => (floats.includes(key) ? `${number}.0${comma}` : line),
  );
  await writeFile(path, `${text}\n`);
}

const tokenizerFiles = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
]);

/** Copies whichever tokenizer files the base has, so that the folder stands for itself. */
export async function copyTokenizer(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => tokenizerFiles.has(name));
  await Promise.all(names.map((name) => copyFile(join(from, name), join(to, name))));
}

/** The names of a folder. @throws StudioError `bad-file` where there is none */
export async function namesIn(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    throw new StudioError(
      'bad-file',
      `${folder} is not a folder that can be read.`,
      'Choose an exported adapter or model folder.',
      { file: folder },
      { cause: error },
    );
  }
}
