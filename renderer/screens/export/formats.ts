/** What each export is, in words. */
import type { ExportFormat } from '../../../electron/contract/index.js';

export const formatNames: Readonly<Record<ExportFormat, { title: string; short: string; text: string }>> = {
  peft: { title: 'Hugging Face PEFT', short: 'PEFT', text: 'adapter_config.json and adapter_model.safetensors with the classification head; loads with PeftModel.from_pretrained beside the base model.' },
  adapterhub: { title: 'AdapterHub', short: 'AdapterHub', text: 'An adapter folder with its head for the adapters library; loads with load_adapter.' },
  merged: { title: 'Merged model', short: 'merged', text: 'A plain Hugging Face folder with the trained weights inside the base: no adapter library needed.' },
  onnx: { title: 'ONNX for inference', short: 'ONNX', text: 'model.onnx with the tokenizer beside it, for any ONNX Runtime.' },
};
