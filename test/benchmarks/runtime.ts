/**
 * Other ways to use the runtime than the engine's: its calls are changed on their way, so that both sides of a comparison run the same
 * graphs. One way for a process.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { z } from 'zod';

export const waySchema = z.enum(['new outputs', 'no arena', 'patterns', 'a graph for each size']);
export type Way = z.infer<typeof waySchema>;

type Tensors = Record<string, Tensor>;
type Fetches = Readonly<Record<string, Tensor | null>>;
export type Run = (feeds: Tensors, fetches: Fetches) => Promise<Tensors>;
/** Makes a session's `run`, given the model's bytes, the session's options and the run that it would have. */
type Wrap = (bytes: Uint8Array, options: InferenceSession.SessionOptions, run: Run) => Run;

/** Seconds that sessions took to be made. */
export const openings = { seconds: 0, count: 0 };

const create = InferenceSession.create.bind(InferenceSession) as (
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>;

/** A session as the runtime makes it; its time is counted. */
export async function openSession(
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const began = performance.now();
  const session = await create(bytes, options);
  openings.seconds += (performance.now() - began) / 1000;
  openings.count += 1;
  return session;
}

/** From now on each session's options and runs are changed. */
export function changeSessions(wrap: Wrap, more: InferenceSession.SessionOptions = {}): void {
  InferenceSession.create = async (
    bytes: string | ArrayBufferLike | Uint8Array,
    given?: InferenceSession.SessionOptions | number,
  ) => {
    if (!(bytes instanceof Uint8Array) || typeof given === 'number') throw new TypeError('The engine gives bytes.');
    const options = { ...given, ...more };
    const session = await openSession(bytes, options);
    const run = wrap(bytes, options, session.run.bind(session) as Run);
    session.run = run as InferenceSession['run'];
    return session;
  };
}

const asIs: Wrap = (_bytes, _options, run) => run;

/** The runtime makes new memory for every output, which is then copied to where the engine has it. */
const newOutputs: Wrap = (_bytes, _options, run) => async (feeds, fetches) => {
  const own = Object.entries(fetches).flatMap(([name, into]) => (into === null ? [] : [[name, into] as const]));
  const made = await run(feeds, Object.fromEntries(own.map(([name]) => [name, null])));
  for (const [name, into] of own) {
    const [from, to] = [made[name]?.data, into.data];
    if (!(from instanceof Float32Array) || !(to instanceof Float32Array))
      throw new TypeError(`${name} is not float32.`);
    to.set(from);
    made[name] = into;
  }
  return made;
};

/** Each combination of sizes has a session of its own, made for these alone. */
const aGraphForEach: Wrap = (bytes, options, _run) => {
  const named = (fromBinary(ModelProtoSchema, bytes).graph?.input ?? []).map(({ name, type }) => ({
    name,
    dims:
      type?.value.case === 'tensorType'
        ? (type.value.value.shape?.dim ?? []).map(({ value }) => (value.case === 'dimParam' ? value.value : null))
        : [],
  }));
  const sessions = new Map<string, Promise<InferenceSession>>();
  return async (feeds, fetches) => {
    const sizes = new Map<string, number>();
    for (const { name, dims } of named)
      dims.forEach((dim, axis) => {
        const size = feeds[name]?.dims[axis];
        if (dim !== null && size !== undefined) sizes.set(dim, size);
      });
    const key = JSON.stringify([...sizes].sort());
    const session =
      sessions.get(key) ?? openSession(bytes, { ...options, freeDimensionOverrides: Object.fromEntries(sizes) });
    sessions.set(key, session);
    return (await session).run(feeds, fetches as Tensors) as Promise<Tensors>;
  };
};

const ways: Readonly<Record<Way, () => void>> = {
  'new outputs': () => changeSessions(newOutputs),
  'no arena': () => changeSessions(asIs, { enableCpuMemArena: false }),
  patterns: () => changeSessions(asIs, { enableMemPattern: true }),
  'a graph for each size': () => changeSessions(aGraphForEach),
};

/** Uses the runtime so from now on; left out: as the engine does. Openings are counted either way. */
export function useRuntime(way: Way | undefined): void {
  if (way === undefined) changeSessions(asIs);
  else ways[way]();
}
