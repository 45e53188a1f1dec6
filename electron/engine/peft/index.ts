/** Every method: importing this registers them. */
import type { BaseModelInfo, MethodDescription, MethodSpec, NamedTensors, StagePlan } from '../types.js';
import type { AdapterHubFormat } from './adapterhub.js';
import { chooseMethod } from './choose.js';
import { whyNoHubSetup, type HubPart, type HubSetup } from './hub-setup.js';
import { registeredMethods, type PeftFormat } from './method.js';
import './full.js';
import './progressive.js';
import './lora.js';
import './loha.js';
import './lokr.js';
import './vera.js';
import './adalora.js';
import './ia3.js';
import './bottleneck.js';
import './compacter.js';
import './mixer.js';
import './mam.js';
import './unipelt.js';
import './stack.js';
import './fusion.js';
import './prefix.js';
import './prompt.js';
import './p-tuning.js';
import './prompt-search.js';
import './bitfit.js';
import './head.js';

export type { AdapterHubFormat, HubContext } from './adapterhub.js';
export { chooseMethod, type ChosenMethod } from './choose.js';
export type { PeftContext, PeftFormat, PeftStart } from './method.js';

/** The spec with every default filled in. Throws EngineError 'bad-input'. */
export function validateMethod(spec: MethodSpec): MethodSpec {
  return chooseMethod(spec).options as MethodSpec;
}

export function listMethods(): readonly MethodDescription[] {
  return registeredMethods().map((method) => ({
    ...method,
    exports: [...method.exports, 'studio'],
    searches: method.search !== undefined,
    describe: (options) => method.describe(method.options.parse(options)),
  }));
}

/** The stages of a method on a model; null where it trains in one. Throws EngineError 'bad-input'. */
export function stagesOf(spec: MethodSpec, { layers }: Pick<BaseModelInfo, 'layers'>): StagePlan | null {
  const { method, options } = chooseMethod(spec);
  return method.stages?.(options, layers) ?? null;
}

/** Positions of a model that a method's virtual tokens take from the text. Throws EngineError 'bad-input'. */
export function positionsOf(spec: MethodSpec): number {
  const { method, options } = chooseMethod(spec);
  return method.positions?.(options) ?? 0;
}

/** The method that reads what a finished run keeps (see PeftMethod.kept). Throws EngineError 'bad-input'. */
export function keptMethod(spec: MethodSpec): MethodSpec {
  const { method, options } = chooseMethod(spec);
  return method.kept?.(options) ?? (options as MethodSpec);
}

/** Does a method search for a wording instead of training? Throws EngineError 'bad-input'. */
export function searchesWording(spec: MethodSpec): boolean {
  return chooseMethod(spec).method.search !== undefined;
}

/** Name and setting as tables show them: "LoRA, r 8, query value". */
export function describeMethod(spec: MethodSpec): string {
  const { method, options } = chooseMethod(spec);
  return `${method.title}, ${method.describe(options)}`;
}

/** Every method that stands in AdapterHub's folders, by its type and title. */
export function adapterHubFormats(): {
  readonly type: string;
  readonly title: string;
  readonly format: AdapterHubFormat;
}[] {
  return registeredMethods().flatMap(({ type, title, adapterhub }) =>
    adapterhub ? [{ type, title, format: adapterhub }] : [],
  );
}

/** A method over finished adapters as AdapterHub's library has it; null for other methods. Throws EngineError 'bad-input'. */
export function hubSetupOf(spec: MethodSpec): {
  readonly title: string;
  readonly setup: Pick<HubSetup, 'block' | 'attention'>;
  parts(trained: NamedTensors): readonly HubPart[];
  /** Why the library's folders do not hold this composition; null: they do. */
  readonly reason: string | null;
} | null {
  const { method, options } = chooseMethod(spec);
  const { title, hubSetup: setup } = method;
  if (!setup) return null;
  const parts = (trained: NamedTensors) => setup.parts(options, trained);
  return { title, setup, parts, reason: whyNoHubSetup(parts(new Map())) };
}

/** Every method that stands in Hugging Face peft's folders, by its type and title. */
export function peftFormats(): { readonly type: string; readonly title: string; readonly format: PeftFormat }[] {
  return registeredMethods().flatMap(({ type, title, peft }) => (peft ? [{ type, title, format: peft }] : []));
}
