/** Does what a folder holds fit what a method needs? */
import { StudioError } from '../contract/errors.js';
import { describeMethod, EngineError, type MethodSpec, type NamedTensors } from '../engine/index.js';

/** What the engine says against a file's content, said with the file's name. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new StudioError(
      'bad-file',
      `${path}: ${error.message}`,
      error.hint,
      { ...error.context, file: path },
      { cause: error },
    );
  }
}

/** A tensor as messages name it: "lora_A.weight" of a module, or of the file. */
export type TensorWords = (name: string) => { readonly part: string; readonly module: string };

const wholeName: TensorWords = (name) => ({ part: name, module: 'the file' });

/**
 * Names and shapes of a file's tensors against what the method has on this base.
 * @throws StudioError `bad-file` naming the tensor that is missing, of another shape, or has no place
 */
export function checkTensors(
  path: string,
  parameters: NamedTensors,
  expected: readonly { readonly name: string; readonly shape: readonly number[] }[],
  method: MethodSpec,
  words: TensorWords = wholeName,
): void {
  for (const { name, shape } of expected) {
    const tensor = parameters.get(name);
    const { part, module } = words(name);
    if (tensor === undefined)
      throw new StudioError(
        'bad-file',
        `${path}: ${module} has no ${part}.`,
        'The file is not complete; save the adapter again.',
        { file: path, tensor: name },
      );
    if (tensor.shape.join() !== shape.join())
      throw new StudioError(
        'bad-file',
        `${path}: ${part} of ${module} is [${tensor.shape.join(', ')}]; ${describeMethod(method)} and this base need [${shape.join(', ')}].`,
        'Choose the base model that the adapter was trained on.',
        { file: path, tensor: name },
      );
  }
  const names = new Set(expected.map(({ name }) => name));
  const stranger = [...parameters.keys()].find((name) => !names.has(name));
  if (stranger !== undefined)
    throw new StudioError(
      'bad-file',
      `${path}: "${stranger}" has no place in ${describeMethod(method)}.`,
      'The settings and the weights are not of one adapter; save it again.',
      { file: path, tensor: stranger },
    );
}
