/** ONNX for inference: one file with all weights, beside the tokenizer and the labels. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StudioError } from '../contract/errors.js';
import { describeHead, exportOnnx as onnxBytes } from '../engine/index.js';
import { onnxCard } from './cards.js';
import { copyTokenizer } from './files.js';
import { writeHeadConfig } from './merged.js';
import { headClass, objectiveOf, outputsOf, type ExportSource } from './types.js';

/** A protobuf message holds less than 2 GiB; what is left is for the graph. */
const weightLimit = 2 ** 31 - 2 ** 24;

/** Writes model.onnx, config.json with the labels, and the tokenizer. @throws StudioError `bad-input` for a model too large for one file */
export async function exportOnnx({ parameters, maxLength, ...source }: ExportSource, folder: string): Promise<void> {
  const { model, method, marks = null } = source;
  if (source.labels === null && marks === null && outputsOf(source) === null)
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
    await onnxBytes({ model, method, objective: objectiveOf(model, source), parameters }),
  );
  const { classifierClass } = describeHead(model);
  await writeHeadConfig(join(folder, 'config.json'), model, headClass(classifierClass, marks), source);
  await copyTokenizer(model.folder, folder);
  await writeFile(join(folder, 'README.md'), onnxCard({ ...source, maxLength }));
}
