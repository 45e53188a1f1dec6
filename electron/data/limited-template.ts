/**
 * Jinja within limits: chat templates come with models, and a hostile one may loop, grow and nest without end. Steps and what is made
 * are counted, results of single operations are worked out before they are made, and the clock ends the rest.
 */
import { createContext, Script } from 'node:vm';
import { Environment, Interpreter, Template } from '@huggingface/jinja';

const mostSteps = 1_500_000;
/** Characters of one text, or of all that a list holds. */
const largestValue = 1 << 24;
/** Of all that filters and calls make. */
const mostMade = 1 << 27;
const millisecondsAtMost = 5000;

/** A template did more than any honest one does. */
export class TemplateStopped extends Error {}

type Statement = NonNullable<Parameters<Interpreter['evaluate']>[0]>;
type Value = ReturnType<Interpreter['evaluate']>;
/** A node of the template's tree; the package does not export its types. */
type Node = Statement & Readonly<Record<string, unknown>>;

const isNode = (part: unknown): part is Node => typeof part === 'object' && part !== null && 'type' in part;
/** Stands where a node was that is evaluated already. */
const given = (value: Value) => ({ type: 'Given', value }) as unknown as Node;

/** Filters and methods whose result may be much longer than what they are given. */
const growing = new Set(['replace', 'join', 'indent', 'tojson']);
const making = new Set(
  'ArrayLiteral TupleLiteral ObjectLiteral BinaryExpression FilterExpression CallExpression MemberExpression Set For If Program CallStatement'.split(
    ' ',
  ),
);

class LimitedInterpreter extends Interpreter {
  private steps = 0;
  private made = 0;
  private readonly weights = new WeakMap<object, number>();

  override evaluate(statement: Statement | undefined, environment: Environment): Value {
    if (statement?.type === 'Given') return (statement as Node)['value'] as Value;
    this.steps += 1;
    if (this.steps > mostSteps) throw new TemplateStopped(`it takes more than ${mostSteps} steps`);
    const node = statement === undefined ? undefined : this.checked(statement as Node, environment);
    const value = super.evaluate(node, environment);
    if (node !== undefined && making.has(node.type)) this.count(node, value);
    return value;
  }

  /** The node with those parts evaluated on which the size of its result depends. */
  private checked(node: Node, environment: Environment): Node {
    const of = (part: unknown) => this.evaluate(isNode(part) ? part : undefined, environment);
    switch (node.type) {
      case 'FilterStatement': {
        const body = { type: 'Program', body: node['body'] } as unknown as Node;
        return this.checked({ ...node, type: 'FilterExpression', operand: given(of(body)) }, environment);
      }
      case 'FilterExpression': {
        const filter = node['filter'];
        const name = isNode(filter) && filter.type === 'CallExpression' ? nameOf(filter['callee']) : null;
        if (!isNode(filter) || name === null || !growing.has(name)) return node;
        const operand = of(node['operand']);
        const args = this.arguments(filter, environment);
        this.foresee(name, operand, args);
        return { ...node, operand: given(operand), filter: { ...filter, args } } as Node;
      }
      case 'CallExpression': {
        const callee = node['callee'];
        const name = isNode(callee) && callee.type === 'MemberExpression' ? nameOf(callee['property']) : null;
        if (!isNode(callee) || name === null || !growing.has(name)) return node;
        const object = of(callee['object']);
        const args = this.arguments(node, environment);
        this.foresee(name, object, args);
        return { ...node, callee: { ...callee, object: given(object) }, args } as Node;
      }
      case 'MemberExpression': {
        const slice = node['property'];
        if (!isNode(slice) || slice.type !== 'SliceExpression' || !isNode(slice['step'])) return node;
        const step = of(slice['step']);
        if (step.value === 0) throw new Error('the step of a slice is 0');
        return { ...node, property: { ...slice, step: given(step) } } as Node;
      }
      default:
        return node;
    }
  }

  private arguments(call: Node, environment: Environment): Node[] {
    const args = Array.isArray(call['args']) ? (call['args'] as unknown[]).filter((part) => isNode(part)) : [];
    return args.map((part): Node => {
      if (part.type === 'SpreadExpression' || part.type === 'KeywordSpreadExpression') return part;
      if (part.type !== 'KeywordArgumentExpression') return given(this.evaluate(part, environment));
      return { ...part, value: given(this.evaluate(part['value'] as Node, environment)) } as Node;
    });
  }

  /** Works out what comes of putting one value into another at each place there is. */
  private foresee(name: string, operand: Value, args: readonly Node[]): void {
    const sizes = args.map((part) => {
      const value = (part.type === 'Given' ? part : (part['value'] as Node | undefined))?.['value'] as
        Value | undefined;
      return typeof value?.value === 'number' ? value.value : value === undefined ? 0 : this.weigh(value);
    });
    const [old = 0, ...rest] = sizes;
    const whole = this.weigh(operand);
    const [places, size] =
      name === 'replace' && args[0]?.type === 'Given'
        ? [whole / Math.max(1, old), Math.max(1, ...rest)]
        : [whole, Math.max(1, ...sizes)];
    if (whole + (places + 1) * size > 4 * largestValue) throw tooLarge();
  }

  private count(node: Node, value: Value): void {
    const weight = this.weigh(value);
    if (weight > largestValue) throw tooLarge();
    // Texts that are put together share their parts; lists are copied.
    const copied = node.type === 'BinaryExpression' && !Array.isArray(value.value) ? 1 : weight;
    this.made += node.type === 'MemberExpression' && !isSlice(node['property']) ? 1 : copied;
    if (this.made > mostMade) throw tooLarge();
  }

  private weigh(value: Value): number {
    const own: unknown = value.value;
    if (typeof own === 'string') return own.length;
    if (typeof own !== 'object' || own === null || value.type === 'NamespaceValue') return 1;
    const known = this.weights.get(value);
    if (known !== undefined) return known;
    const parts = Array.isArray(own)
      ? (own as Value[])
      : own instanceof Map
        ? [...(own as Map<string, Value>).values()]
        : [];
    let weight = 1;
    for (const part of parts) weight += 1 + this.weigh(part);
    this.weights.set(value, weight);
    return weight;
  }
}

const isSlice = (part: unknown) => isNode(part) && part.type === 'SliceExpression';
const nameOf = (part: unknown): string | null =>
  isNode(part) && part.type === 'Identifier' && typeof part['value'] === 'string' ? part['value'] : null;
const tooLarge = () => new TemplateStopped(`it makes more text than ${largestValue} characters`);

/** @throws Error where the text is no template */
export const parseTemplate = (text: string): Template => guarded(() => new Template(text));

/** The text that a template makes of some values. @throws TemplateStopped beyond the limits, Error where the template itself refuses */
export function renderTemplate(template: Template, values: Readonly<Record<string, unknown>>): string {
  return guarded(() => {
    const environment = new Environment();
    for (const [name, value] of Object.entries(values)) environment.set(name, value);
    return String(new LimitedInterpreter(environment).run(template.parsed).value);
  });
}

const context = createContext({ work: null }) as { work: (() => unknown) | null };
const script = new Script('work()');

/** Runs work that may never end, and ends it. */
function guarded<T>(work: () => T): T {
  let result: { value: T } | null = null;
  context.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: millisecondsAtMost });
  } catch (error) {
    // What the other context throws is no Error of this one.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TemplateStopped(`it takes longer than ${millisecondsAtMost / 1000} s`);
    if (error instanceof RangeError) throw new TemplateStopped(`it goes too deep, or makes too long a text`);
    throw error;
  }
  return (result as unknown as { value: T }).value;
}
