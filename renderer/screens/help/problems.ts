/** A page for each code of an error: what it means and what helps. */
import type { ErrorCode } from '../../../electron/contract/index.js';
import { mark } from '../../language.js';

const facts = '*Facts for a report* under the message names what it is about: file, row, field or limit.';

export const problemPages: Readonly<Record<ErrorCode, { readonly title: string; readonly text: string }>> = {
  'bad-input': {
    title: mark('A value is not possible'),
    text: `A setting is out of range, a key is not known, or two choices do not go together. The message names the key and what it takes.

- In a form: correct the marked field; the range stands in it.
- In a PLAN.json: \`peft-studio run --help\` lists every key with its range, and *Show settings* of a run copies a plan that is right.
- A method that cannot do something (merge, export, go to peft) says why, and what can.

${facts}`,
  },
  'bad-file': {
    title: mark('A file cannot be read'),
    text: `A file is not what it should be: it is damaged, cut off, of another format, or made by a newer version.

- Copy or download it again, whole; exports hold hashes of their parts, so a changed file is found.
- Data: save it as CSV (UTF-8), JSON Lines or Parquet. Archives are unpacked first. See [Data](#/help/data).
- Adapters: pickled weights (\`.bin\`) are never opened; save them as safetensors.

${facts}`,
  },
  'bad-model': {
    title: mark('A base model cannot be used'),
    text: `The folder lacks something (\`config.json\`, a tokenizer, safetensors), is of an architecture that the engine does not know, or does not fit the task.

- Folders as the Hugging Face hub has them are read: BERT, RoBERTa, DistilBERT, GPT-2, Llama, Qwen2 and Qwen3.
- Encoders do not write and decoders do not fill masks: choose the base by the [task](#/help/tasks).

${facts}`,
  },
  'bad-data': {
    title: mark('Rows do not fit the task'),
    text: `Rows, columns or labels are not what the task asks for: a split is empty, there is one label only, a cell is no number, a tag is not in BIO.

- The message names file and line; *Reading options* under Data overrule encoding and delimiter, and *skip* leaves bad rows out and counts them.
- Look at the first rows in the import: what cannot be used is marked there. See [Data](#/help/data).

${facts}`,
  },
  'not-found': {
    title: mark('Something is not there'),
    text: `A run, project, data set, model or file is not there any more, or has another name here.

- Folders of base models stay where they are: if one was moved, add it again.
- What another window or the command deleted is gone from this one too.
- A project file or a result from elsewhere needs its base model here, by the same weights.`,
  },
  conflict: {
    title: mark('Something is in use'),
    text: `A name is taken, a folder is not empty, or something is in use: a run that trains, a data set with runs on it, a run that others go on from.

- Choose another name or an empty folder.
- Wait until what uses it has ended, or delete that first; the message names it.
- Another PEFT Studio (a window, the command) may be at work in the same data folder.`,
  },
  'no-space': {
    title: mark('The disk is full'),
    text: `There is not enough room on the disk. Nothing half-written is kept, and a run keeps its last whole checkpoint.

- Make room, then resume the run or try again. The settings show the data folder and what it takes.
- Delete runs you no longer need: checkpoints take most. Archived projects keep theirs.
- An export can go to another disk; \`--home DIR\` puts the whole studio on one.`,
  },
  'no-access': {
    title: mark('No access'),
    text: `The system does not let the app read or write there, or the window names a path that you did not choose in it.

- Choose the file or folder with the button beside the field: the window may use only what you point at.
- Give yourself the right to read and write the folder, or take another.`,
  },
  'out-of-memory': {
    title: mark('Out of memory'),
    text: `Training needs more memory than there is, or than the settings allow.

- *Batch in parts* keeps the plan and takes less at once (\`accumulationSteps\`).
- \`gradientCheckpointing\` and \`packWeights\` false (*All settings*) keep the result, and take more time: see [Memory](#/help/memory).
- Shorter texts (\`maxLength\`) help most, since attention grows with their square.
- A method that trains less, a smaller base model, or a higher limit in the settings.
- *Measure* tells time and memory before a run starts. See [Devices](#/help/devices).`,
  },
  'device-failed': {
    title: mark('A device failed'),
    text: `The device that trains (a graphics card) gave an error, went away, or no longer computes what the CPU does.

- The run waits at its last checkpoint and goes on only where you say: on the CPU, on another device, or on the same one again (\`peft-studio resume RUN --device cpu\`).
- Drivers and other programs that use the card are the usual reason. See [Devices](#/help/devices).`,
  },
  'trainer-lost': {
    title: mark('The training process ended'),
    text: `The process that trains ended by itself, mostly because the system ran out of memory and stopped it.

- Resume the run: it goes on from its last checkpoint to the same numbers.
- If it happens again, train with less memory: see [Out of memory](#/help/problem-out-of-memory).`,
  },
  diverged: {
    title: mark('The loss is no number any more'),
    text: `A loss became infinite or undefined: the steps were too large.

- Take a third of the learning rate; full fine-tuning wants about a tenth of what adapters do.
- A longer warm-up, or clipping the gradient at 1.
- Odd rows (thousands of equal signs, wrong numbers of a regression) can do it too: look at the step in the log.`,
  },
  database: {
    title: mark('The database'),
    text: `The database of the data folder is locked by another program, damaged, or was written by a newer version.

- Close other copies of the app and the command, and start again.
- A damaged one is kept aside and told at the start; nothing of it is thrown away.
- A newer database needs the newer app. A folder on a network disk is best copied to this computer.`,
  },
  cancelled: {
    title: mark('Cancelled'),
    text: `You, or the app as it closed, ended it. Nothing half-written is kept; a cancelled run keeps its curves and can be resumed.`,
  },
  internal: {
    title: mark('A fault in the app'),
    text: `Something happened that should not. Your data and checkpoints stand: each is written whole or not at all.

- Try again, and resume the run if one was under way.
- Report it with what *Facts for a report* shows and what you did before.`,
  },
};
