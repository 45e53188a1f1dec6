/** The fixture's tiny random Llama as a model to talk to: a chat template, room for conversations, and rows it can learn by heart. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { oracleFolder } from './oracle.js';

const template = `{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;

/** Writes the folder; resolves with its path. */
export async function makeTinyDecoder(folder: string): Promise<string> {
  const from = join(oracleFolder, 'models', 'llama');
  await cp(from, folder, { recursive: true });
  const config: Record<string, unknown> = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, max_position_embeddings: 512 }));
  await writeFile(join(folder, 'chat_template.jinja'), template);
  return folder;
}

export const tinyQuestion = 'How is the weather?';
export const tinyAnswer = 'It is fine today.';

/** Prompts and completions as JSON Lines: one question with its answer, again and again. */
export const tinyInstructions = (count: number): string =>
  `${JSON.stringify({ prompt: tinyQuestion, completion: tinyAnswer })}\n`.repeat(count);
