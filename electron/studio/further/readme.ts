/** The README of a project for transformers, peft and accelerate. */
import type { Plan } from '../../contract/plan.js';
import { namesOf } from '../plan.js';
import type { Setup } from './format.js';

const rows = (split: Setup['data']['train']) => (split ? split.rows.toLocaleString('en') : 'no');

export function readmeOf(plan: Plan, { model, data, drawn, trains }: Setup, withModel: boolean): string {
  const { methodName, setting } = namesOf(plan);
  return `# ${methodName} on ${data.name}

A plan of PEFT Studio as a project for transformers, peft and accelerate.

- Method: ${[methodName, setting].filter(Boolean).join(', ')}${trains.peft ? `, by peft's ${String(trains.peft['peft_type'])}` : ', by plain PyTorch'}
- Base model: ${model.name} (${model.architecture})${withModel ? ', in `model/`' : ': it is not inside; name its folder with `--model`'}
- Data: ${rows(data.train)} training, ${rows(data.validation)} validation and ${rows(data.test)} test rows in \`data/\`, in the order of the studio's splits${drawn ? `; the training rows are the ${drawn.examplesPerClass} of each class that seed ${drawn.seed} draws` : ''}

Python 3.11 or newer:

\`\`\`
pip install -r requirements.txt
accelerate launch train.py
\`\`\`

\`train.py --help\` names its options: another seed, the folder of the base model, the folder of the result. \`accelerate config\` says how many devices there are; the rows of a step are shared out among the processes, so the plan stays the same on any number of them. Learning rate, epochs and the like may be changed in \`plan.json\`; another method needs another export.

\`train.py\` trains on the same rows in the same order as the studio, validates as the plan says, reads the test split once with the best parameters, and writes \`result/\`: \`result.json\` with scores and the answer to every test row, and \`trained/\` as ${trains.peft ? 'peft' : 'transformers'} saves it. Take it back with

\`\`\`
peft-studio take-back THIS FOLDER
\`\`\`

or by dropping this folder on the window. It then stands beside the runs that were trained here, marked as trained elsewhere, and is compared with them on the same test rows; its times and memory are not compared.

\`setup.json\` is what the plan does not say: labels, what trains, hashes of model and data. Random numbers of PyTorch are others than the studio's (the start of the head and of the method, dropout), so results agree as two seeds do, not digit by digit.${plan.training.loadIn8bit ? ' The studio’s steps compute products with frozen matrices in 8 bits by this plan; `train.py` computes them in float32.' : ''}
`;
}
