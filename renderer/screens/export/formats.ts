/** What each export is, in words, and the folder it goes to. */
import type { ExportFormat, Run } from '../../../electron/contract/index.js';
import { fileName } from '../../charts/index.js';
import { mark } from '../../language.js';

export const formatNames: Readonly<Record<ExportFormat, { title: string; short: string; text: string }>> = {
  peft: {
    title: mark('Hugging Face PEFT'),
    short: mark('PEFT'),
    text: mark(
      'adapter_config.json and adapter_model.safetensors with the classification head; loads with PeftModel.from_pretrained beside the base model.',
    ),
  },
  adapterhub: {
    title: mark('AdapterHub'),
    short: mark('AdapterHub'),
    text: mark(
      'An adapter folder with its head for the adapters library; loads with load_adapter, of a stack or fusion with load_adapter_setup.',
    ),
  },
  merged: {
    title: mark('Merged model'),
    short: mark('merged'),
    text: mark('A plain Hugging Face folder with the trained weights inside the base: no adapter library needed.'),
  },
  studio: {
    title: mark('PEFT Studio'),
    short: mark('Studio'),
    text: mark(
      'adapter.json and adapter.safetensors: the run as it is, to start another from or to hand on; it names its base by its weights.',
    ),
  },
  onnx: {
    title: mark('ONNX for inference'),
    short: mark('ONNX'),
    text: mark('model.onnx with the tokenizer beside it, for any ONNX Runtime.'),
  },
};

/**
 * A folder of the export's own inside the one that was chosen, named after run and format: "lora-r-8-seed-3-peft".
 * `attempt` 2 and up number it, where the name is taken.
 */
export function exportFolder(
  chosen: string,
  run: Pick<Run, 'methodName' | 'setting' | 'seed'>,
  format: ExportFormat,
  attempt = 1,
): string {
  const separator = chosen.includes('\\') ? '\\' : '/';
  const name = fileName(
    `${run.methodName} ${run.setting} seed ${run.seed} ${format}${attempt > 1 ? ` ${attempt}` : ''}`,
  );
  return `${chosen.replace(/[/\\]+$/, '')}${separator}${name}`;
}
