/** An exported ONNX classifier, run by ONNX Runtime alone: what a user of the export would do. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { StudioError } from '../contract/errors.js';
import type { Batch, EnginePredictor } from '../engine/index.js';

/**
 * Opens a classifier with int64 inputs [batch, sequence] and output `logits` [batch, classes].
 * @throws StudioError `bad-file` if the runtime cannot read it, or for inputs this program does not know
 */
export async function openOnnx(path: string, classes: number): Promise<EnginePredictor> {
  const ort = await import('onnxruntime-node');
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, { executionProviders: ['cpu'] });
  } catch (error) {
    throw new StudioError('bad-file', `${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`, 'Export the run again.', { path }, { cause: error });
  }
  const feedOf = (name: string, batch: Batch): Int32Array => {
    switch (name) {
      case 'input_ids': return batch.inputIds;
      case 'attention_mask': return batch.attentionMask;
      case 'token_type_ids': return batch.tokenTypeIds;
      default: throw new StudioError('bad-file', `${path} asks for the input "${name}".`, 'Export the run again.', { path, input: name });
    }
  };
  return {
    predict: async (batch) => {
      const feeds: Record<string, Tensor> = {};
      for (const name of session.inputNames) feeds[name] = new ort.Tensor('int64', BigInt64Array.from(feedOf(name, batch), BigInt), [batch.size, batch.sequence]);
      const logits = (await session.run(feeds)).logits;
      if (!(logits?.data instanceof Float32Array) || logits.data.length !== batch.size * classes) throw new StudioError('bad-file', `${path} does not give logits for ${classes} labels.`, 'Export the run again.', { path });
      return logits.data;
    },
    dispose: () => session.release(),
  };
}
