/**
 * The search for a wording (AutoPrompt, HotFlip): a trainer whose only parameter is a list of token ids. Step s looks at
 * positions (s·n + i) mod m. With G the gradient of the loss by the embedding at a position, summed over the rows, the candidates
 * are the tokens of largest -G·e. Each is tried on the step's own batches; the best takes the place if its loss is lower.
 */
import { differentiate } from '../autodiff/reverse.js';
import { EngineError } from '../errors.js';
import { multiplyDims } from '../graph/dims.js';
import type { Value } from '../graph/ir.js';
import { chooseMethod } from '../peft/index.js';
import type { WordingSearch } from '../peft/method.js';
import type {
  Batch,
  EngineTrainer,
  Evaluation,
  NamedTensors,
  SearchStep,
  StepResult,
  TrainerOptions,
  TriedWording,
  WordingDoor,
} from '../types.js';
import { Evaluator } from './evaluator.js';
import { rowsAt } from '../objectives/placed.js';
import { feedBatch } from './feeds.js';
import { uniformOf } from './random.js';
import { floatsOf, GraphSession, runtime, scalarOf, type Runtime } from './session.js';
import { build, ParameterStore, prepare, weightsOf, type Setup } from './setup.js';

const tokensName = 'prompt_search.tokens';
/** As in the checkpoints of other trainers. */
const ofParameter = 'parameter/';
/** Tokens of a drawn wording where the options name no number. */
const DRAWN = 6;
/** So many times the asked candidates are looked at until enough of them can be typed. */
const LOOKED_AT = 20;

const nothing = () => new ParameterStore([]);

class WordingTrainer implements EngineTrainer {
  readonly trainable = [];
  readonly trainableParameters = 0;
  readonly optimizerBytes = 0;
  readonly mostOptimizerBytes = 0;
  #steps = 0;
  #evaluator: Promise<Evaluator> | undefined;
  #gradient: Promise<GraphSession> | undefined;

  constructor(
    private readonly ort: Runtime,
    private readonly setup: Setup,
    private readonly search: WordingSearch,
    private readonly door: WordingDoor,
    private readonly options: TrainerOptions,
    private readonly tokens: Int32Array,
    private text: string,
  ) {}

  get totalParameters() {
    return this.setup.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, d) => a * d, 1), 0);
  }

  wording(): string {
    return this.text;
  }

  async step(batches: readonly Batch[]): Promise<StepResult> {
    if (batches.length === 0) throw new EngineError('bad-input', 'A step needs at least one batch.');
    const { loss, gain, norm } = await this.#promises(batches);
    const positions = this.#positions();
    const tried: (TriedWording & { readonly token: number; readonly text: string })[] = [];
    for (const position of positions)
      for (const { token, text } of await this.#candidates(gain, position)) {
        const tokens = this.tokens.slice();
        tokens[position] = token;
        const word = await this.door.word(token);
        tried.push({ position, token, text, word, loss: await this.#loss(batches, tokens) });
      }
    const best = tried.reduce<(typeof tried)[number] | null>(
      (least, one) => (least === null || one.loss < least.loss ? one : least),
      null,
    );
    const accepted = best !== null && best.loss < loss;
    const replaced = best === null ? '' : await this.door.word(this.tokens[best.position] as number);
    if (accepted) {
      this.tokens[best.position] = best.token;
      this.text = best.text;
    }
    this.#steps++;
    const search: SearchStep = {
      wording: this.text,
      accepted: accepted ? { position: best.position, replaced, word: best.word, loss: best.loss } : null,
      tried: tried.map(({ position, word, loss: own }) => ({ position, word, loss: own })),
    };
    return { loss, gradientNorm: norm, search };
  }

  #positions(): number[] {
    const { length } = this.tokens;
    const count = Math.min(this.search.positions, length);
    return Array.from({ length: count }, (_, i) => (this.#steps * count + i) % length);
  }

  /** Loss of the current wording and what each exchange promises by it: [m, vocabulary]. */
  async #promises(batches: readonly Batch[]): Promise<{ loss: number; gain: Float32Array; norm: number }> {
    this.#gradient ??= this.#build();
    const session = await this.#gradient;
    const { vocabularySize, hiddenSize } = this.setup.info;
    const gain = new Float32Array(this.tokens.length * vocabularySize);
    const gradient = new Float32Array(this.tokens.length * hiddenSize);
    const fed = batches.map((batch) => feedBatch(this.ort, this.#worded(batch, this.tokens), this.setup));
    const inverse = 1 / fed.reduce((sum, { weight }) => sum + weight, 0);
    let loss = 0;
    for (const [i, { feeds }] of fed.entries()) {
      const batch = batches[i] as Batch;
      const cells = Array.from(this.tokens, (_, at) =>
        Array.from(wordingOf(batch), (start, row) => row * batch.sequence + start + at),
      );
      const rows = BigInt64Array.from(rowsAt(batch, cells.flat()), BigInt);
      const result = await session.run(
        {
          ...feeds,
          wording_rows: new this.ort.Tensor('int64', rows, [rows.length]),
          inverse_weight: new this.ort.Tensor('float32', Float32Array.of(inverse), []),
        },
        { loss: null, gain: null, gradient: null },
        this.options.device,
      );
      loss += scalarOf(result['loss']);
      floatsOf(result['gain']).forEach((value, at) => (gain[at] = (gain[at] as number) + value));
      floatsOf(result['gradient']).forEach((value, at) => (gradient[at] = (gradient[at] as number) + value));
    }
    return { loss, gain, norm: Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0)) };
  }

  #build(): Promise<GraphSession> {
    const { device, threads, packWeights, gradientCheckpointing } = this.options;
    const { b, lossSum } = build(this.setup, { training: false, packed: true, modelDropout: null });
    const { g } = b;
    const loss = g.mul(lossSum, g.input('inverse_weight', 'float32', []));
    const { table, read } = b.words as NonNullable<typeof b.words>;
    const [each] = differentiate(g, loss, [read], { recompute: gradientCheckpointing ? b.layerEnds : [] }) as [Value];
    const { length } = this.tokens;
    const { hiddenSize, vocabularySize } = this.setup.info;
    const own = g.gather(each, g.input('wording_rows', 'int64', [multiplyDims('batch', length)]), true);
    const gradient = g.reduceSum(g.reshape(own, [length, 'batch', hiddenSize]), [1]);
    const words = b.base(table, [vocabularySize, hiddenSize]);
    g.output('loss', loss);
    g.output('gradient', gradient);
    g.output('gain', g.matmul(gradient, words, { transB: true, alpha: -1 }));
    const { folder } = this.setup.info;
    return GraphSession.create(g, { device, threads, packWeights, folder, weights: weightsOf(this.setup) });
  }

  /** The most promising tokens of a position with which the wording can still be typed, each with the text that then stands there. */
  async #candidates(gain: Float32Array, position: number): Promise<{ token: number; text: string }[]> {
    const { vocabularySize } = this.setup.info;
    const own = gain.subarray(position * vocabularySize, (position + 1) * vocabularySize);
    const { candidates } = this.search;
    const order = mostOf(own, candidates * LOOKED_AT).filter((token) => token !== this.tokens[position]);
    const found: { token: number; text: string }[] = [];
    for (let from = 0; from < order.length && found.length < candidates; from += candidates) {
      const some = order.slice(from, from + candidates);
      const texts = await this.door.spell(
        some.map((token) => Array.from(this.tokens, (old, at) => (at === position ? token : old))),
      );
      some.forEach((token, i) => {
        const text = texts[i] ?? null;
        if (text !== null && found.length < candidates) found.push({ token, text });
      });
    }
    return found;
  }

  async #loss(batches: readonly Batch[], tokens: Int32Array): Promise<number> {
    let [sum, weight] = [0, 0];
    for (const batch of batches) {
      const result = await this.#score(this.#worded(batch, tokens));
      sum += result.lossSum;
      weight += result.weightSum;
    }
    return sum / weight;
  }

  /** A batch whose wording is these tokens; one without a wording stays as it is. */
  #worded(batch: Batch, tokens: Int32Array): Batch {
    if (!batch.wording) return batch;
    const inputIds = batch.inputIds.slice();
    batch.wording.forEach((start, row) => inputIds.set(tokens, row * batch.sequence + start));
    return { ...batch, inputIds };
  }

  async #score(batch: Batch): Promise<Evaluation> {
    this.#evaluator ??= Evaluator.create(this.setup, { trained: nothing(), fixed: nothing() }, this.options);
    return (await this.#evaluator).evaluate(batch);
  }

  evaluate(batch: Batch) {
    return this.#score(this.#worded(batch, this.tokens));
  }

  async predict(batch: Batch) {
    return (await this.evaluate(batch)).logits;
  }

  parameters(): NamedTensors {
    return new Map([[tokensName, { shape: [this.tokens.length], data: Float32Array.from(this.tokens) }]]);
  }

  result(): Promise<NamedTensors> {
    return Promise.resolve(this.parameters());
  }

  saveState(): NamedTensors {
    const [[name, tokens]] = [...this.parameters()] as [[string, { shape: number[]; data: Float32Array }]];
    return new Map([
      [ofParameter + name, tokens],
      // Two halves, since a float32 counts exactly only to 2^24.
      ['steps', { shape: [2], data: Float32Array.of(Math.floor(this.#steps / 65_536), this.#steps % 65_536) }],
    ]);
  }

  async loadState(state: NamedTensors): Promise<void> {
    const tokens = state.get(ofParameter + tokensName);
    const steps = state.get('steps');
    if (!tokens || !steps)
      throw new EngineError(
        'bad-input',
        'The saved state does not hold the wording and the number of steps.',
        'The checkpoint is broken or belongs to another version.',
      );
    await this.loadParameters(new Map([[tokensName, tokens]]));
    this.#steps = (steps.data[0] as number) * 65_536 + (steps.data[1] as number);
  }

  async loadParameters(parameters: NamedTensors): Promise<void> {
    const saved = parameters.get(tokensName);
    if (saved?.data.length !== this.tokens.length)
      throw new EngineError(
        'bad-input',
        `The saved state does not hold a wording of ${this.tokens.length} tokens.`,
        'The checkpoint belongs to another plan.',
      );
    this.tokens.set(saved.data);
    this.text = await spelled(this.door, this.tokens);
  }

  async dispose(): Promise<void> {
    await (await this.#gradient)?.dispose();
    await (await this.#evaluator)?.dispose();
  }
}

function wordingOf({ wording }: Batch): Int32Array {
  if (!wording)
    throw new EngineError('bad-input', 'Batch: it does not say where the wording stands.', 'Encode it with a prompt.');
  return wording;
}

/** Indices of the largest values, the largest first; of equal ones the lower index. */
function mostOf(values: Float32Array, count: number): number[] {
  const order = Int32Array.from(values, (_, i) => i).sort(
    (i, j) => (values[j] as number) - (values[i] as number) || i - j,
  );
  return [...order.subarray(0, count)];
}

async function spelled(door: WordingDoor, tokens: Int32Array): Promise<string> {
  const [text = null] = await door.spell([[...tokens]]);
  if (text !== null) return text;
  throw new EngineError(
    'bad-input',
    'method.initText: cut or repeated to numVirtualTokens, it is no text that gives the same tokens when typed in.',
    'Leave numVirtualTokens at null, or start from another text.',
    { path: 'method.numVirtualTokens' },
  );
}

/** The tokens that the search starts from: the text's, or words drawn one by one so that what stands there can be typed. */
async function startTokens(
  { text, tokens }: WordingSearch,
  door: WordingDoor,
  { model, seed }: Pick<TrainerOptions, 'model' | 'seed'>,
): Promise<Int32Array> {
  if (text !== null) {
    const ids = await door.ids(text);
    return Int32Array.from({ length: tokens ?? ids.length }, (_, i) => ids[i % ids.length] as number);
  }
  const draw = uniformOf(tokensName, seed);
  const count = tokens ?? DRAWN;
  const found: number[] = [];
  for (let drawn = 0; found.length < count; drawn += 64) {
    const some = Array.from({ length: 64 }, (_, i) => Math.floor(draw(drawn + i) * model.vocabularySize));
    const texts = await door.spell(some.map((token) => [...found, token]));
    const at = texts.findIndex((one) => one !== null);
    if (at >= 0) found.push(some[at] as number);
    else if (drawn > 1_000_000)
      throw new EngineError('bad-input', 'The vocabulary has too few words that can be typed.', 'Start from a text.');
  }
  return Int32Array.from(found);
}

/** The wording that a search starts from. Throws EngineError 'bad-input' where it cannot be typed. */
export async function startWording(
  options: Pick<TrainerOptions, 'method' | 'model' | 'seed'> & { readonly wording: WordingDoor },
): Promise<string> {
  const { method, options: own } = chooseMethod(options.method);
  if (!method.search) throw new EngineError('bad-input', `method: ${method.title} searches no wording.`);
  return spelled(options.wording, await startTokens(method.search(own), options.wording, options));
}

/** A trainer that searches for a wording. Throws EngineError 'bad-input' without a verbalizer or a tokenizer. */
export async function createSearch(search: WordingSearch, options: TrainerOptions): Promise<EngineTrainer> {
  const { objective, wording: door, initial } = options;
  if (objective.type !== 'classification' || !objective.verbalizer)
    throw new EngineError(
      'bad-input',
      'verbalizer: prompt wording needs one, since nothing trains.',
      'Give {} for the default.',
      {
        path: 'verbalizer',
      },
    );
  if (!door) throw new EngineError('bad-input', 'Prompt wording needs the base model’s tokenizer.', null);
  const setup = prepare(options);
  const given = initial?.get(tokensName);
  const start = await startTokens(search, door, options);
  const tokens = given ? Int32Array.from(given.data) : start;
  if (tokens.length !== start.length)
    throw new EngineError(
      'bad-input',
      `The start is a wording of ${tokens.length} tokens, and this run looks for one of ${start.length}.`,
      'Give the wording as method.initText.',
      { path: 'method.initText' },
    );
  return new WordingTrainer(await runtime(), setup, search, door, options, tokens, await spelled(door, tokens));
}
