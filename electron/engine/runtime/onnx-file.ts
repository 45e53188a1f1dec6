/** An exported ONNX model, run as a user of the export would run it: nothing of how it was made is known here. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { EngineError } from '../errors.js';
import type { Batch, EngineClassifier } from '../types.js';
import { runtime } from './session.js';

/** What a file gives: `logits` of texts or of all tokens, or logits of answers' ends. */
export type OnnxOutputs = { readonly of: 'texts' | 'tokens'; readonly classes: number } | { readonly of: 'ends' };

/**
 * Opens a model with int64 inputs [batch, sequence], on the CPU, with the outputs `logits` [batch, classes] or [batch, sequence,
 * classes], or `start_logits` and `end_logits` [batch, sequence]. It answers as `Evaluation` has the logits.
 * Throws EngineError 'bad-file' where the runtime cannot read it, an input is not known or the logits have another size;
 * so does `predict` where it cannot be run.
 */
export async function openOnnx(path: string, outputs: OnnxOutputs): Promise<EngineClassifier> {
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
      const given = await session.run(feeds).catch((error: unknown) => {
        throw bad(`the runtime cannot run it (${error instanceof Error ? error.message : String(error)}).`, error);
      });
      const floats = (name: string, size: number) => {
        const data = given[name]?.data;
        if (!(data instanceof Float32Array) || data.length !== size) throw bad(`it does not give ${size} ${name}.`);
        return data;
      };
      const cells = batch.size * batch.sequence;
      if (outputs.of === 'texts') return floats('logits', batch.size * outputs.classes);
      if (outputs.of === 'tokens') {
        const { classes } = outputs;
        const all = floats('logits', cells * classes);
        const read = [...batch.labels.keys()].filter((cell) => batch.labels[cell] !== -100);
        return Float32Array.from(
          { length: read.length * classes },
          (_, i) => all[(read[Math.floor(i / classes)] as number) * classes + (i % classes)] as number,
        );
      }
      const [starts, ends] = [floats('start_logits', cells), floats('end_logits', cells)];
      const both = new Float32Array(2 * cells);
      for (let row = 0; row < batch.size; row++) {
        const own = [row * batch.sequence, (row + 1) * batch.sequence] as const;
        both.set(starts.subarray(...own), 2 * own[0]);
        both.set(ends.subarray(...own), 2 * own[0] + batch.sequence);
      }
      return both;
    },
    dispose: () => session.release(),
  };
}
