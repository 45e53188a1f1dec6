/** An exported ONNX classifier, run as a user of the export would run it: nothing of how it was made is known here. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EngineError } from '../errors.js';
import type { Batch, EngineClassifier } from '../types.js';
import { runtime } from './session.js';

/**
 * Opens a classifier with int64 inputs [batch, sequence] and the output `logits` [batch, classes], on the CPU.
 * Throws EngineError 'bad-file' where the runtime cannot read it, an input is not known or the logits have another size.
 */
export async function openOnnx(path: string, classes: number): Promise<EngineClassifier> {
  const ort = await runtime();
  const bad = (what: string, cause?: unknown) =>
    new EngineError('bad-file', `${path}: ${what}`, 'Export the run again.', { file: path }, { cause });
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  } catch (error) {
    throw bad(`the runtime cannot open it (${error instanceof Error ? error.message : String(error)}).`, error);
  }
  const feedOf = (name: string, batch: Batch): Int32Array => {
    switch (name) {
      case 'input_ids':
        return batch.inputIds;
      case 'attention_mask':
        return batch.attentionMask;
      case 'token_type_ids':
        return batch.tokenTypeIds;
      default:
        throw bad(`it asks for the input "${name}".`);
    }
  };
  return {
    predict: async (batch) => {
      const feeds: Record<string, Tensor> = {};
      for (const name of session.inputNames)
        feeds[name] = new ort.Tensor('int64', BigInt64Array.from(feedOf(name, batch), BigInt), [
          batch.size,
          batch.sequence,
        ]);
      const logits = (await session.run(feeds))['logits'];
      if (!(logits?.data instanceof Float32Array) || logits.data.length !== batch.size * classes)
        throw bad(`it does not give logits for ${classes} labels.`);
      return logits.data;
    },
    dispose: () => session.release(),
  };
}
