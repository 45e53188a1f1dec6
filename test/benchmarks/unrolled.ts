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
import { floatsOf, scalarOf, stopped } from '../../electron/engine/runtime/session.js';
import { benchBatch, benchModelOf, lengthsOf, modelOptions } from './model.js';
import { defaultThreads, machineLines, median, ratio, start, table } from './report.js';
import { changeSessions, openSession, type Run } from './runtime.js';
import { lengthsOfTexts, textOptions } from './texts.js';
import { ofStep, unroll, type StepState } from './unroll.js';
import { openWork } from './worker.js';

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
    if (!stopped(error)) throw error;
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

/** Steps that the engine took, as it asked the runtime for them. */
interface Recorded {
  readonly seen: Seen;
  readonly calls: readonly Call[];
  readonly state: StepState;
}

const entriesOf = (calls: readonly Call[], of: (call: Call) => Fetches, own: (name: string, step: number) => boolean) =>
  calls.flatMap((call, step) =>
    Object.entries(of(call)).flatMap(([name, tensor]) => (own(name, step) ? [{ name, tensor, step }] : [])),
  );

/** Seconds of a step by a run each and by one run of `k`, and how far the losses are apart. @throws Error where they differ */
async function compare({ seen, calls: all, state }: Recorded, k: number, rounds: number) {
  const calls = all.slice(0, k);
  const session = await openSession(unroll(seen.bytes, k, state), seen.options);
  const run = session.run.bind(session) as Run;
  const once = new Set([...state.over.values(), ...state.wholes.keys()]);
  const feeds = Object.fromEntries(
    entriesOf(
      calls,
      (call) => call.feeds,
      (name, step) => step === 0 || !once.has(name),
    ).map(({ name, tensor, step }) => [once.has(name) ? name : ofStep(name, step), tensor as Tensor]),
  );
  const fetches: Fetches = Object.fromEntries(
    entriesOf(
      calls,
      (call) => call.fetches,
      (name, step) => (name === state.mark ? step === 0 : !state.over.has(name) || step === k - 1),
    ).map(({ name, tensor, step }) => [
      name === state.mark || state.over.has(name) ? name : ofStep(name, step),
      tensor,
    ]),
  );
  const losses = () => calls.map((call) => scalarOf(call.fetches['loss'] ?? undefined));
  const single = async () => {
    for (const call of calls) await written(seen.run, call.feeds, call.fetches);
  };
  const together = () => written(run, feeds, fetches);

  const memory = [...state.over.values()].map((name) => floatsOf(calls[0]?.feeds[name]));
  const before = memory.map((values) => values.slice());
  await single();
  const expected = losses();
  memory.forEach((values, i) => values.set(before[i] ?? []));
  // What is not written would stand there from before.
  for (const { fetches: own } of calls) floatsOf(own['loss'] ?? undefined).fill(NaN);
  await together();
  const apart = Math.max(...losses().map((loss, step) => Math.abs(loss - (expected[step] ?? NaN))));
  if (!(apart < 1e-4))
    throw new Error(`${k} steps in one run give the losses ${losses().join()}, not ${expected.join()}.`);

  const [one, many]: [number[], number[]] = [[], []];
  const timed = async (work: () => Promise<void>, into: number[]) => {
    const from = performance.now();
    await work();
    into.push((performance.now() - from) / 1000 / k);
  };
  for (let round = 0; round < rounds; round++) {
    await timed(single, one);
    await timed(together, many);
  }
  await session.release();
  return { one: median(one), many: median(many), apart };
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      ...modelOptions,
      method: { type: 'string', default: 'lora' },
      steps: { type: 'string', default: '2,4' },
      batch: { type: 'string' },
      shape: { type: 'string', default: 'texts' },
      ...textOptions,
      threads: { type: 'string', default: defaultThreads },
      rounds: { type: 'string', default: '12' },
    },
  });
  const model = benchModelOf(options.model);
  const counts = options.steps.split(',').map(Number);
  const [threads, batchSize] = [Number(options.threads), Number(options.batch ?? model.batch)];
  const [sequence, layers] = [Number(options.sequence), Number(options.layers ?? model.layers)];
  const lengths = options.shape === 'full' ? [sequence] : (await lengthsOfTexts('texts', options, sequence)).lengths;
  const folder = await mkdtemp(join(tmpdir(), 'peft-studio-bench-'));
  const rows: string[][] = [];
  let outside = '';
  try {
    await model.write(folder, layers);
    const seen = watchSessions();
    const most = Math.max(...counts);
    const { objective } = model;
    const { trainer, vocabularySize } = await openWork({
      folder,
      objective,
      method: { type: options.method },
      steps: most,
      warmup: 1,
      threads,
    });
    const stepAt = (step: number) =>
      trainer.step([benchBatch(step, lengthsOf(step, batchSize, lengths), vocabularySize, objective)], 1e-4);
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
    const recorded = { seen, calls, state: stateOf(calls[0] as Call) };
    for (const k of counts) {
      const { one, many, apart } = await compare(recorded, k, Number(options.rounds));
      const tenths = (seconds: number) => (seconds * 1000).toFixed(1);
      rows.push([String(k), tenths(one), tenths(many), ratio(many, one), apart.toExponential(1)]);
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
