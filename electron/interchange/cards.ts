/** README files of exports: what is inside, and the lines that load it elsewhere. */
import { basename } from 'node:path';
import type { BaseModelInfo } from '../engine/index.js';

interface TrainedFacts {
  readonly model: BaseModelInfo;
  readonly labels: readonly string[];
  readonly maxLength: number;
}

export interface CardFacts extends TrainedFacts {
  readonly classifierClass: string;
}

const about = ({
  model,
  labels,
  maxLength,
}: TrainedFacts) => `- Base model: ${basename(model.folder)} (${model.architecture}, ${model.layers} layers, width ${model.hiddenSize})
- Labels, in the order of the logits: ${labels.map((label) => `\`${label}\``).join(', ')}
- Trained on texts of at most ${maxLength} tokens
`;

const noteOf = ({ note }: { readonly note: string | null }) => (note === null ? '' : `\n${note}\n`);

export const peftCard = (facts: CardFacts & { readonly method: string; readonly note: string | null }) => `---
library_name: peft
---
# ${facts.method} adapter made with PEFT Studio

${about(facts)}
\`\`\`python
from peft import PeftModel
from transformers import ${facts.classifierClass}
base = ${facts.classifierClass}.from_pretrained("BASE FOLDER", num_labels=${facts.labels.length})
model = PeftModel.from_pretrained(base, "THIS FOLDER").eval()
\`\`\`
${noteOf(facts)}`;

export const adapterHubCard = (facts: CardFacts & { readonly method: string; readonly note: string | null }) => `---
library_name: adapters
---
# ${facts.method} adapter made with PEFT Studio

${about(facts)}
\`\`\`python
import adapters
from transformers import ${facts.classifierClass}
model = ${facts.classifierClass}.from_pretrained("BASE FOLDER", num_labels=${facts.labels.length})
adapters.init(model)
model.set_active_adapters(model.load_adapter("THIS FOLDER"))
\`\`\`
${noteOf(facts)}`;

export const studioCard = (facts: TrainedFacts & { readonly setting: string }) => `# Adapter made with PEFT Studio

- Method: ${facts.setting}
${about(facts)}
\`adapter.json\` holds the method with all its options, the labels and the base model with a SHA-256 over its weights; \`adapter.safetensors\` holds everything that was trained or added, float32, by the base checkpoint's names. The base itself is not inside.

\`\`\`
peft-studio run PLAN.json --init "THIS FOLDER"
\`\`\`

starts a run of the same method from it; with \`"maxSteps": 0\` the run is this adapter, ready to predict.
`;

export const mergedCard = (facts: CardFacts) => `---
library_name: transformers
pipeline_tag: text-classification
---
# Text classifier made with PEFT Studio

${about(facts)}
\`\`\`python
from transformers import pipeline
classify = pipeline("text-classification", "THIS FOLDER")
\`\`\`
`;

export const onnxCard = (facts: CardFacts) => `# Text classifier (ONNX) made with PEFT Studio

${about(facts)}
\`model.onnx\` takes the tokenizer's outputs by name (int64, [batch, sequence]) and gives \`logits\` (float32, [batch, ${facts.labels.length}]). It runs in ONNX Runtime (some products are fused as its CPU provider has them).

\`\`\`python
import numpy, onnxruntime
from transformers import AutoTokenizer
tokens = AutoTokenizer.from_pretrained("THIS FOLDER")(["a text"], return_tensors="np", padding=True, truncation=True, max_length=${facts.maxLength})
session = onnxruntime.InferenceSession("THIS FOLDER/model.onnx")
logits = session.run(["logits"], {i.name: tokens.get(i.name, numpy.zeros_like(tokens["input_ids"])).astype("int64") for i in session.get_inputs()})[0]
\`\`\`
`;
