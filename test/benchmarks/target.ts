/**
 * Seconds from the start of the command to a validation score, and to its end with the test read, beside the same plan in
 * transformers + peft: the project that `take-further` writes, as a process of its own. Both sides train the same rows in the same
 * order, validate at the same steps and load, tokenize and test by themselves. The score to reach is a share of the lower of both
 * sides' best. With `--setfit` also SetFit on the same rows, to its own end (it has no validation).
 *
 * Options: --model FOLDER (default the starter) --data FILE --text COLUMN --label COLUMN --test FILE|SHARE --validation FILE|SHARE
 *   --split-column COLUMN --methods lora,prefix,full --rates 0.001,0.01,0.0001 --steps 200 --every 20 --batch 16 --max-length 128
 *   --8bit (ours by `loadIn8bit`) --dropout RATE (the base's own; as the base says without) --examples N (a class; all without) --seed 1
 *   --rounds 1 --share 0.95 --python PATH --setfit PATH --out FILE.json
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { commandIn, sampleWords, watch, type Command } from './command.js';
import { above, defaultThreads, findPython, lastLine, machineLines, median, ratio, start, table } from './report.js';

interface Reached {
  readonly seconds: number;
  readonly score: number;
}
/** One whole job. */
interface Course {
  readonly validations: readonly Reached[];
  readonly test: number;
  readonly seconds: number;
}

const eventSchema = z.union([
  z.object({ event: z.literal('validation'), macroF1: z.number() }),
  z.object({ event: z.literal('result'), run: z.number(), test: z.object({ macroF1: z.number() }) }),
  z.looseObject({ event: z.string() }).transform(() => null),
]);

async function ourCourse(command: Command, plan: string): Promise<Course> {
  const validations: Reached[] = [];
  let test = NaN;
  const seconds = await command(['run', plan], (line, at) => {
    const event = eventSchema.parse(JSON.parse(line));
    if (event?.event === 'validation') validations.push({ seconds: at, score: event.macroF1 });
    if (event?.event === 'result') test = event.test.macroF1;
  });
  return { validations, test, seconds };
}

/** The project's program; what it prints at a validation and at its end begins with the macro F1. */
async function peerCourse(python: string, folder: string, round: number): Promise<Course> {
  const validations: Reached[] = [];
  let test = NaN;
  const words = ['-u', join(folder, 'train.py'), '--out', join(folder, `result-${round}`)];
  const seconds = await watch(python, words, (line, at) => {
    const [, what, score] = /^(step \d+|test): macroF1 ([\d.e-]+)/.exec(line) ?? [];
    if (what === 'test') test = Number(score);
    else if (what !== undefined) validations.push({ seconds: at, score: Number(score) });
  });
  return { validations, test, seconds };
}

const refusalSchema = z.object({ event: z.literal('error'), message: z.string() });
const packages = ['torch', 'transformers', 'peft', 'accelerate'];
const setFitSchema = z.object({ macroF1: z.number(), versions: z.record(z.string(), z.string()) });

/** SetFit on the rows of a project, to its end. @throws Error with its words where it fails */
async function setFitCourse(python: string, words: readonly string[]) {
  let told: unknown = null;
  const seconds = await watch(python, [above('test/benchmarks/setfit_peer.py'), ...words], (line) => {
    if (line.startsWith('{"macroF1"')) told = JSON.parse(line);
  });
  return { seconds, ...setFitSchema.parse(told) };
}

const best = ({ validations }: Course) => Math.max(...validations.map(({ score }) => score));
const until = ({ validations }: Course, score: number) =>
  validations.find((validation) => validation.score >= score)?.seconds ?? NaN;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: above('native-assets/starter-model') },
      data: { type: 'string' },
      text: { type: 'string' },
      label: { type: 'string' },
      test: { type: 'string' },
      validation: { type: 'string' },
      'split-column': { type: 'string' },
      methods: { type: 'string', default: 'lora,prefix,full' },
      rates: { type: 'string' },
      steps: { type: 'string', default: '200' },
      every: { type: 'string', default: '20' },
      batch: { type: 'string', default: '16' },
      'max-length': { type: 'string', default: '128' },
      dropout: { type: 'string' },
      '8bit': { type: 'boolean', default: false },
      examples: { type: 'string' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '1' },
      share: { type: 'string', default: '0.95' },
      python: { type: 'string' },
      setfit: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const named = (['text', 'label', 'test', 'validation', 'split-column'] as const).flatMap((name) =>
    values[name] === undefined ? [] : [`--${name}`, values[name]],
  );
  const python = await findPython(values.python ?? process.env.PEFT_STUDIO_PYTHON);
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-target-'));
  const rows: string[][] = [];
  const all: unknown[] = [];
  const reasons: string[] = [];
  const versions: Record<string, string> = {};
  const two = (number: number) => number.toFixed(1);
  const points = (number: number) => (100 * number).toFixed(1);
  try {
    const command = commandIn(join(folder, 'home'));
    await command(['model', 'add', resolve(values.model), '--name', 'base']);
    const words = values.data ? [resolve(values.data), ...named] : sampleWords();
    await command(['data', 'add', ...words, '--name', 'rows']);
    let setFitFolder: string | null = null;
    for (const [place, type] of values.methods.split(',').entries()) {
      const rate = values.rates?.split(',')[place];
      const training = {
        seed: Number(values.seed),
        maxSteps: Number(values.steps),
        batchSize: Number(values.batch),
        maxLength: Number(values['max-length']),
        validateEverySteps: Number(values.every),
        ...(rate === undefined ? {} : { learningRate: Number(rate) }),
        ...(values.dropout === undefined ? {} : { modelDropout: Number(values.dropout) }),
        ...(values['8bit'] ? { loadIn8bit: true } : {}),
        ...(values.examples === undefined ? {} : { examplesPerClass: Number(values.examples) }),
      };
      const plan = join(folder, `${type}.json`);
      await writeFile(plan, JSON.stringify({ model: 'base', data: 'rows', method: { type }, training, device: 'cpu' }));
      const project = join(folder, `further-${type}`);
      // What peft cannot train has no other side: its reason stands below the table.
      let refusal: string | null = null;
      await command(['take-further', plan, '--to', project], (line) => {
        refusal = refusalSchema.safeParse(JSON.parse(line)).data?.message ?? refusal;
      }).catch((error: unknown) => {
        if (refusal === null) throw error;
        reasons.push(refusal);
      });
      if (refusal === null) setFitFolder ??= project;
      const [own, peers]: [Course[], Course[]] = [[], []];
      for (let round = 0; round < Number(values.rounds); round++) {
        own.push(await ourCourse(command, plan));
        if (python !== null && refusal === null) peers.push(await peerCourse(python, project, round));
        process.stderr.write(`${type}: round ${round + 1} of ${values.rounds}\n`);
      }
      const target = Number(values.share) * Math.min(...[...own, ...peers].map(best));
      const [mine, theirs] = [own, peers].map((courses) => median(courses.map((course) => until(course, target))));
      const [job, peerJob] = [own, peers].map((courses) => median(courses.map(({ seconds }) => seconds)));
      const [test, peerTest] = [own, peers].map((courses) => median(courses.map((course) => course.test)));
      all.push({ type, target, own, peers });
      rows.push([
        type,
        points(target),
        two(mine ?? NaN),
        two(theirs ?? NaN),
        ratio(mine ?? NaN, theirs),
        two(job ?? NaN),
        two(peerJob ?? NaN),
        ratio(job ?? NaN, peerJob),
        points(test ?? NaN),
        points(peerTest ?? NaN),
      ]);
    }
    if (values.setfit !== undefined && setFitFolder !== null) {
      // What the others took long to measure is not lost where this one fails.
      const found = await setFitCourse(values.setfit, [setFitFolder, values.seed, resolve(values.model)]).catch(
        (error: unknown) => {
          reasons.push(`SetFit failed: ${String(error)}`);
        },
      );
      if (found) {
        all.push({ type: 'setfit', ...found });
        rows.push(['SetFit', '–', '–', '–', '–', '–', two(found.seconds), '–', '–', points(found.macroF1)]);
        Object.assign(versions, found.versions);
      }
    }
    if (python !== null) {
      const code = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ${JSON.stringify(packages)}}))`;
      Object.assign(versions, z.record(z.string(), z.string()).parse(await lastLine(python, ['-c', code])));
    }
    console.log(await machineLines(Number(defaultThreads), versions));
    console.log(
      `${values.steps} steps of ${values.batch}, validated every ${values.every}; the target is ${values.share} of the lower best validation macro F1\n`,
    );
    const head = 'method,target,to the target: ours s,PyTorch s,ratio,whole job: ours s,PyTorch s,ratio';
    // Where one side has nothing there is no figure and no ratio.
    const shown = rows.map((row) => row.map((cell) => (cell === 'NaN' ? '–' : cell)));
    console.log(table([`${head},test macro F1: ours,PyTorch`.split(','), ...shown]));
    for (const reason of reasons) console.log(`\n${reason}`);
    if (values.out !== undefined)
      await writeFile(values.out, `${JSON.stringify({ versions, courses: all }, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await start(main);
