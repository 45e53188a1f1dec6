/**
 * Several training steps in one run of the runtime, beside one run a step: the graph that the engine trains by, copied, fed what the
 * engine fed, both ways in turn. Losses of both are compared first.
 *
 * Options: --model minilm --layers N --method lora --steps 2,4 --batch N --sequence 128 --shape full --rows FILE --column NAME --threads N
 *   --rounds 12
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { createTrainer, openModel } from '../../electron/engine/index.js';
import { floatsOf, scalarOf } from '../../electron/engine/runtime/session.js';
import { benchBatch, benchModels, labels, lengthsOf } from './model.js';
import { defaultThreads, machineLines, median, milliseconds, ratio, start, table } from './report.js';
import { changeSessions, openSession, type Run } from './runtime.js';
import { lengthsOfTexts } from './texts.js';
import { ofStep, unroll, type StepState } from './unroll.js';

type Tensors = Record<string, Tensor>;
type Fetches = Record<string, Tensor | null>;
interface Call {
  readonly feeds: Tensors;
  readonly fetches: Fetches;
}

/** What the engine made of a step, and each of its calls since. */
interface Seen {
  bytes: Uint8Array;
  options: InferenceSession.SessionOptions;
  run: Run;
  readonly calls: Call[];
  sessions: number;
  /** Seconds inside of the runtime. */
  seconds: number;
}

function watchSessions(): Seen {
  const none: Run = () => Promise.reject(new Error('no session was made'));
  const seen: Seen = { bytes: new Uint8Array(), options: {}, run: none, calls: [], sessions: 0, seconds: 0 };
  changeSessions((bytes, options, run) => {
    Object.assign(seen, { bytes, options, run, sessions: seen.sessions + 1 });
    return async (feeds, fetches) => {
      seen.calls.push({ feeds, fetches: { ...fetches } });
      const began = performance.now();
      try {
        return await run(feeds, fetches);
      } finally {
        seen.seconds += (performance.now() - began) / 1000;
      }
    };
  });
  return seen;
}

/** As the engine does it: the call stops at an output that is no tensor, when all others are written. */
async function written(run: Run, feeds: Tensors, fetches: Fetches): Promise<void> {
  await run(feeds, fetches).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith('Non tensor type')) throw error;
  });
}

/** Which outputs are written over which inputs, and which inputs show the same memory whole: told by where the tensors lie. */
function stateOf({ feeds, fetches }: Call): StepState {
  const place = ({ data }: Tensor) => {
    if (!(data instanceof Float32Array)) return null;
    const { buffer, byteOffset, byteLength } = data;
    return { buffer, from: byteOffset, to: byteOffset + byteLength };
  };
  const over = new Map(
    Object.entries(fetches).flatMap(([output, tensor]) => {
      const input = tensor && Object.keys(feeds).find((name) => feeds[name] === tensor);
      return input ? [[output, input] as const] : [];
    }),
  );
  const states = [...over.values()].map((name) => ({ name, at: place(feeds[name] as Tensor) }));
  const wholes = new Map(
    Object.entries(feeds).flatMap(([name, tensor]) => {
      const at = place(tensor);
      if (at === null || states.some((state) => state.name === name)) return [];
      const parts = states
        .filter((part) => part.at?.buffer === at.buffer && part.at.from >= at.from && part.at.to <= at.to)
        .sort((a, b) => (a.at?.from ?? 0) - (b.at?.from ?? 0));
      return parts.length === 0 ? [] : [[name, { parts: parts.map((part) => part.name), dims: tensor.dims }] as const];
    }),
  );
  return { over, wholes, mark: Object.keys(fetches).find((name) => fetches[name] === null) ?? null };
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      model: { type: 'string', default: 'minilm' },
      layers: { type: 'string' },
      method: { type: 'string', default: 'lora' },
      steps: { type: 'string', default: '2,4' },
      batch: { type: 'string' },
      sequence: { type: 'string', default: '128' },
      shape: { type: 'string', default: 'texts' },
      rows: { type: 'string' },
      column: { type: 'string' },
      threads: { type: 'string', default: defaultThreads },
      rounds: { type: 'string', default: '12' },
    },
  });
  const model = benchModels[options.model];
  if (model === undefined)
    throw new Error(`--model is "${options.model}"; it takes ${Object.keys(benchModels).join(', ')}.`);
  const counts = options.steps.split(',').map(Number);
  const [threads, batchSize] = [Number(options.threads), Number(options.batch ?? model.batch)];
  const [sequence, layers] = [Number(options.sequence), Number(options.layers ?? model.layers)];
  const lengths = options.shape === 'full' ? [sequence] : (await lengthsOfTexts('texts', options, sequence)).lengths;
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  const rows: string[][] = [];
  let outside = '';
  try {
    await model.write(folder, layers);
    const base = await openModel(folder);
    const seen = watchSessions();
    const trainer = await createTrainer({
      model: base,
      method: { type: options.method },
      objective: model.objective === 'classification' ? { type: 'classification', labels } : { type: 'causal-lm' },
      optimizer: { type: 'adamw', weightDecay: 0.01, gradientClip: 1 },
      modelDropout: 0,
      seed: 1,
      device: 'cpu',
      threads,
      steps: 100,
    });
    const most = Math.max(...counts);
    const stepAt = (step: number) =>
      trainer.step([benchBatch(step, lengthsOf(step, batchSize, lengths), base.vocabularySize, model.objective)], 1e-4);
    // Once to make the session, then as users train.
    await stepAt(0);
    seen.seconds = 0;
    const began = performance.now();
    for (let step = 1; step <= most; step++) await stepAt(step);
    const whole = (performance.now() - began) / 1000;
    outside = `${((100 * (whole - seen.seconds)) / whole).toFixed(1)} % of a step outside of the runtime's call`;
    if (seen.sessions !== 1)
      throw new Error(
        `A step of ${options.method} is ${seen.sessions} graphs: name a method that trains no word embeddings.`,
      );
    const calls = seen.calls.slice(1);
    const state = stateOf(calls[0] as Call);
    const memory = [...state.over.values()].map((name) => calls[0]?.feeds[name]?.data as Float32Array);
    const inputsOf = (k: number) =>
      Object.fromEntries(
        calls.slice(0, k).flatMap(({ feeds }, step) =>
          Object.entries(feeds).flatMap(([name, tensor]) => {
            if ([...state.over.values()].includes(name) || state.wholes.has(name))
              return step === 0 ? [[name, tensor] as const] : [];
            return [[ofStep(name, step), tensor] as const];
          }),
        ),
      );
    for (const k of counts) {
      const session = await openSession(unroll(seen.bytes, k, state), seen.options);
      const run = session.run.bind(session) as Run;
      const feeds = inputsOf(k);
      const asked = calls.slice(0, k).flatMap(({ fetches }, step) =>
        Object.entries(fetches).flatMap(([name, tensor]) => {
          if (name === state.mark) return step === 0 ? [[name, null] as const] : [];
          if (state.over.has(name)) return step === k - 1 ? [[name, tensor] as const] : [];
          return [[ofStep(name, step), tensor] as const];
        }),
      );
      // What is no tensor is asked for first.
      const fetches = Object.fromEntries([...asked.filter(([, own]) => own === null), ...asked]);
      const single = async () => {
        const losses: number[] = [];
        for (const call of calls.slice(0, k)) {
          await written(seen.run, call.feeds, call.fetches);
          losses.push(scalarOf(call.fetches['loss'] ?? undefined));
        }
        return losses;
      };
      const together = async () => {
        await written(run, feeds, fetches);
        return calls.slice(0, k).map((_, step) => scalarOf(fetches[ofStep('loss', step)] ?? undefined));
      };
      const before = memory.map((values) => values.slice());
      const expected = await single();
      memory.forEach((values, i) => values.set(before[i] as Float32Array));
      // What is not written would stand there from before.
      for (const { fetches } of calls) floatsOf(fetches['loss'] ?? undefined).fill(NaN);
      const given = await together();
      const apart = Math.max(...given.map((loss, step) => Math.abs(loss - (expected[step] as number))));
      if (!(apart < 1e-4))
        throw new Error(`${k} steps in one run give the losses ${given.join()}, not ${expected.join()}.`);
      const taken: [number[], number[]] = [[], []];
      for (let round = 0; round < Number(options.rounds); round++)
        for (const [side, work] of [single, together].entries()) {
          const from = performance.now();
          await work();
          taken[side]?.push((performance.now() - from) / 1000 / k);
        }
      const [one, many] = taken.map(median) as [number, number];
      rows.push([
        String(k),
        milliseconds(one * 10).replace(/(\d)$/, '.$1'),
        milliseconds(many * 10).replace(/(\d)$/, '.$1'),
        ratio(many, one),
        apart.toExponential(1),
      ]);
      await session.release();
    }
    await trainer.dispose();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(await machineLines(threads, {}));
  const what = options.shape === 'full' ? `${batchSize} × ${sequence}` : `${batchSize} texts`;
  console.log(
    `${model.title}, ${layers} layers, ${options.method}, ${what}; medians of ${options.rounds} rounds; ${outside}\n`,
  );
  console.log(table([['steps a run', 'a run each: ms a step', 'in one run', 'ratio', 'losses apart by'], ...rows]));
}

await start(main);
