/** README files of exports: what is inside, and the lines that load it elsewhere. */
import { basename } from 'node:path';
import type { FullVerbalizer } from '../contract/verbalizer.js';
import type { BaseModelInfo } from '../engine/index.js';
import { problemTypes, type HeadProblem, type Marks } from './types.js';

interface TrainedFacts {
  readonly model: BaseModelInfo;
  /** Null of a language model and of a regression. */
  readonly labels: readonly string[] | null;
  readonly marks?: Marks | null;
  /** What its head is for; left out: one label a text. */
  readonly problem?: HeadProblem | null | undefined;
  readonly verbalizer?: FullVerbalizer | null | undefined;
  readonly maxLength: number;
}

export interface CardFacts extends TrainedFacts {
  readonly classifierClass: string;
  readonly languageModelClass: string;
}

/** The prompt and the words, for whoever asks the language model without the studio. */
const asked = (verbalizer: TrainedFacts['verbalizer']) =>
  verbalizer
    ? `- It answers by words in a prompt, without a head. Prompt: \`${JSON.stringify(verbalizer.template)}\`; words: ${Object.entries(
        verbalizer.words,
      )
        .map(([label, word]) => `\`${label}\`: \`${word}\``)
        .join(', ')}; a label's score is the ${verbalizer.score} of its word's log-probabilities at {mask}
`
    : '';

function labelled({ labels, problem }: TrainedFacts): string {
  if (problem === 'regression') return '- It gives one number a text: the logit itself\n';
  if (labels === null) return '';
  const names = labels.map((label) => `\`${label}\``).join(', ');
  return problem === 'multi-label'
    ? `- Labels, in the order of the logits, any number of them a text: ${names}; a text has those whose sigmoid reaches 0.5\n`
    : `- Labels, in the order of the logits: ${names}\n`;
}

const about = (
  facts: TrainedFacts,
) => `- Base model: ${basename(facts.model.folder)} (${facts.model.architecture}, ${facts.model.layers} layers, width ${facts.model.hiddenSize})
${labelled(facts)}- Trained on texts of at most ${facts.maxLength} tokens
${asked(facts.verbalizer)}`;

const isLanguage = ({ labels, problem, marks, verbalizer }: TrainedFacts) =>
  !marks && ((labels === null && problem !== 'regression') || Boolean(verbalizer));

const outputs = ({ labels, problem }: TrainedFacts) => (problem === 'regression' ? 1 : (labels?.length ?? 0));

const classOf = (facts: CardFacts) => (isLanguage(facts) ? facts.languageModelClass : facts.classifierClass);

/** What a classifier's class has to know besides. */
const counted = (facts: TrainedFacts) =>
  isLanguage(facts) || facts.marks === 'question-answering'
    ? ''
    : `, num_labels=${outputs(facts)}${facts.problem ? `, problem_type="${problemTypes[facts.problem]}"` : ''}`;

const noteOf = ({ note }: { readonly note: string | null }) => (note === null ? '' : `\n${note}\n`);

export const peftCard = (facts: CardFacts & { readonly method: string; readonly note: string | null }) => `---
library_name: peft
---
# ${facts.method} adapter made with PEFT Studio

${about(facts)}
\`\`\`python
from peft import PeftModel
from transformers import ${classOf(facts)}
base = ${classOf(facts)}.from_pretrained("BASE FOLDER"${counted(facts)})
model = PeftModel.from_pretrained(base, "THIS FOLDER").eval()
\`\`\`
${noteOf(facts)}`;

export const adapterHubCard = (
  facts: Omit<CardFacts, 'languageModelClass'> & { readonly method: string; readonly note: string | null },
) => `---
library_name: adapters
---
# ${facts.method} adapter made with PEFT Studio

${about(facts)}
\`\`\`python
import adapters
from transformers import ${facts.classifierClass}
model = ${facts.classifierClass}.from_pretrained("BASE FOLDER"${counted(facts)})
adapters.init(model)
model.set_active_adapters(model.load_adapter("THIS FOLDER"))
\`\`\`
${noteOf(facts)}`;

export const adapterHubSetupCard = (
  facts: Omit<CardFacts, 'languageModelClass'> & {
    readonly method: string;
    readonly note: string | null;
    readonly block: string;
    readonly names: readonly string[];
  },
) => `---
library_name: adapters
---
# ${facts.method} made with PEFT Studio

${about(facts)}
Each adapter lies in a folder of its own (${facts.names.map((name) => `\`${name}\``).join(', ')}), the head beside them${
  facts.block === 'Fuse' ? `, the fusion's attention in \`${facts.names.join(',')}\`` : ''
}.

\`\`\`python
import adapters
from transformers import ${facts.classifierClass}
model = ${facts.classifierClass}.from_pretrained("BASE FOLDER"${counted(facts)})
adapters.init(model)
model.load_adapter_setup("THIS FOLDER", set_active=True)
\`\`\`

That is \`adapters.composition.${facts.block}(${facts.names.map((name) => `"${name}"`).join(', ')})\`; each adapter loads by itself with \`load_adapter\` too.
${noteOf(facts)}`;

/** A wording is a text: whoever has it needs no file of ours. */
const wordingCard = (
  wording: string,
) => `\`prompt.txt\` holds the wording that was searched for, the text that stands for {prompt} in the template:

> ${wording}

Put it there in any program that asks this base and reads the words' probabilities: it gives the same scores. Nothing was trained. A run that starts from it has it as \`"method": {"type": "prompt-search", "initText": …}\`; \`adapter.json\` holds the method, the labels, template and words, and the base model with a SHA-256 over its weights.
`;

export const studioCard = (
  facts: TrainedFacts & { readonly setting: string; readonly wording: string | undefined },
) => `# ${facts.wording === undefined ? 'Adapter' : 'Prompt'} made with PEFT Studio

- Method: ${facts.setting}
${about(facts)}
${facts.wording === undefined ? adapterFiles : wordingCard(facts.wording)}`;

const adapterFiles = `\`adapter.json\` holds the method with all its options, the labels and the base model with a SHA-256 over its weights; \`adapter.safetensors\` holds everything that was trained or added, float32, by the base checkpoint's names. The base itself is not inside.

\`\`\`
peft-studio run PLAN.json --init "THIS FOLDER"
\`\`\`

starts a run of the same method from it; with \`"maxSteps": 0\` the run is this adapter, ready to predict.
`;

const titleOf = ({ problem }: TrainedFacts) =>
  problem === 'regression'
    ? 'Text regression model'
    : problem === 'multi-label'
      ? 'Multi-label text classifier'
      : 'Text classifier';

/** The number as it is, or every label with its chance. */
const pipelineOptions = ({ problem }: TrainedFacts) =>
  problem === 'regression' ? ', function_to_apply="none"' : problem === 'multi-label' ? ', top_k=None' : '';

export const mergedCard = (facts: CardFacts) =>
  isLanguage(facts)
    ? `---
library_name: transformers
---
# Language model made with PEFT Studio

${about(facts)}
\`\`\`python
from transformers import AutoTokenizer, ${classOf(facts)}
model = ${classOf(facts)}.from_pretrained("THIS FOLDER").eval()
tokenizer = AutoTokenizer.from_pretrained("THIS FOLDER")
\`\`\`
`
    : `---
library_name: transformers
pipeline_tag: text-classification
---
# ${titleOf(facts)} made with PEFT Studio

${about(facts)}
\`\`\`python
from transformers import pipeline
answer = pipeline("text-classification", "THIS FOLDER"${pipelineOptions(facts)})
\`\`\`
`;

export const onnxCard = (facts: TrainedFacts) => `# ${titleOf(facts)} (ONNX) made with PEFT Studio

${about(facts)}
\`model.onnx\` takes the tokenizer's outputs by name (int64, [batch, sequence]) and gives \`logits\` (float32, [batch, ${outputs(facts)}]). It runs in ONNX Runtime (some products are fused as its CPU provider has them).

\`\`\`python
import numpy, onnxruntime
from transformers import AutoTokenizer
tokens = AutoTokenizer.from_pretrained("THIS FOLDER")(["a text"], return_tensors="np", padding=True, truncation=True, max_length=${facts.maxLength})
session = onnxruntime.InferenceSession("THIS FOLDER/model.onnx")
logits = session.run(["logits"], {i.name: tokens.get(i.name, numpy.zeros_like(tokens["input_ids"])).astype("int64") for i in session.get_inputs()})[0]
\`\`\`
`;
