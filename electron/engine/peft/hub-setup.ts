/**
 * How methods over finished adapters stand in AdapterHub's library (adapters 1.x): as a composition block over adapters that are
 * saved each by itself (`save_adapter_setup`). The folders are electron/interchange/adapterhub-setup.ts.
 */
import type { MethodSpec, NamedTensors } from '../types.js';
import { chooseMethod } from './choose.js';

export interface HubPart {
  readonly method: MethodSpec;
  /** The adapter's tensors by the names that a run of it has. */
  readonly parameters: NamedTensors;
}

/** What a composition has besides its adapters: attention over them. */
export interface HubAttention {
  /** The library's configuration of it. */
  readonly config: Readonly<Record<string, boolean | null>>;
  /** Between a block's name and the tensor's, in the engine's names. */
  readonly module: string;
}

/** `O`: the method's options. */
export interface HubSetup<O = unknown> {
  /** The library's composition block. */
  readonly block: 'Stack' | 'Fuse';
  /** The adapters, the lowest first. `trained`: all that a run keeps. */
  parts(options: O, trained: NamedTensors): readonly HubPart[];
  /** Left out: it has nothing of its own. */
  readonly attention?: HubAttention;
}

/** Why the library's folders do not hold such a composition, in a sentence; null: they do. */
export function whyNoHubSetup(parts: readonly Pick<HubPart, 'method'>[]): string | null {
  const places = new Set<unknown>();
  for (const { method: spec } of parts) {
    const { method, options } = chooseMethod(spec);
    const { placement } = options as MethodSpec;
    if (!method.adapterhub || placement === undefined)
      return `AdapterHub’s composition takes adapters behind a block, and ${method.title} is none.`;
    if (placement === 'parallel') return 'AdapterHub puts parallel adapters otherwise one on another.';
    places.add(placement);
  }
  return places.size > 1 ? 'AdapterHub’s composition takes adapters of one placement.' : null;
}
