/** ONNX for inference: one file with all weights, beside the tokenizer and the labels. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { describeHead, exportOnnx as onnxBytes } from '../engine/index.js';
import { onnxCard } from './cards.js';
import { copyTokenizer } from './files.js';
import { writeClassifierConfig } from './merged.js';
import { headClass, objectiveOf, type ExportSource } from './types.js';

/** A protobuf message holds less than 2 GiB; what is left is for the graph. */
const weightLimit = 2 ** 31 - 2 ** 24;

/** Writes model.onnx, config.json with the labels, and the tokenizer. @throws StudioError `bad-input` for a model too large for one file */
export async function exportOnnx(
  { model, method, labels, marks = null, verbalizer, parameters, maxLength }: ExportSource,
  folder: string,
): Promise<void> {
  if (labels === null && marks === null)
    throw new StudioError(
      'bad-input',
      'An ONNX file here holds a classifier; this run learned to write text.',
      "Export it as a peft adapter, merged, or in the studio's own format.",
    );
  if (model.totalParameters * 4 > weightLimit) {
    throw new StudioError(
      'bad-input',
      `One ONNX file holds less than 2 GiB; this model's weights take ${Math.ceil((model.totalParameters * 4) / 2 ** 20)} MiB.`,
      'Export it merged, as a Hugging Face folder.',
      { limit: weightLimit },
    );
  }
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'model.onnx'),
    await onnxBytes({ model, method, objective: objectiveOf(model, labels, verbalizer, marks), parameters }),
  );
  const { classifierClass } = describeHead(model);
  await writeClassifierConfig(join(folder, 'config.json'), model, headClass(classifierClass, marks), labels, marks);
  await copyTokenizer(model.folder, folder);
  await writeFile(join(folder, 'README.md'), onnxCard({ model, labels, marks, maxLength }));
}
