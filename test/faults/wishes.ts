/** What is said between a copy of the app and whoever strikes it. */
import type { CallName, StudioEvent } from '../../electron/contract/calls.js';
import type { Problem } from '../../electron/contract/errors.js';

export type Wish =
  | { readonly kind: 'open'; readonly home: string; readonly startQueued: boolean }
  | { readonly kind: 'call'; readonly name: CallName; readonly input: unknown }
  | { readonly kind: 'close' };

export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'trainer'; readonly pid: number }
  | { readonly kind: 'event'; readonly event: StudioEvent }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown; readonly problem: Problem | null };
