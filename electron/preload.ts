/** Runs sandboxed before the page: puts the contract, and nothing else, on `window.studio`. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { z } from 'zod';
import { calls, events, type Bridge } from './contract/calls.js';
import { problemSchema, StudioError, type Problem } from './contract/errors.js';
import { firstIssue } from './contract/problem-of.js';
import { callChannel, dropChannel, eventChannel } from './shell/channels.js';

// The page's policy forbids eval, which zod would otherwise try for speed.
z.config({ jitless: true });

const answerSchema = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), problem: problemSchema }),
]);
const failure = (code: Problem['code'], message: string) => ({
  ok: false as const,
  problem: new StudioError(code, message).toProblem(),
});

const bridge = {
  async call(name: unknown, input: unknown) {
    if (typeof name !== 'string' || !Object.hasOwn(calls, name))
      return failure('bad-input', `There is no call named ${String(name).slice(0, 80)}.`);
    const request = calls[name as keyof typeof calls].input.safeParse(input); // an own key of the table, by the line above
    if (!request.success) return failure('bad-input', `${name}: ${firstIssue(request.error)}`);
    const answer = answerSchema.safeParse(await ipcRenderer.invoke(callChannel, name, input));
    return answer.success ? answer.data : failure('internal', `The studio's answer to "${name}" was not readable.`);
  },
  on(name: unknown, listener: unknown) {
    if (typeof name !== 'string' || !Object.hasOwn(events, name) || typeof listener !== 'function')
      throw new Error(`There is no event named ${String(name)}.`);
    const receive = (_event: unknown, sent: unknown, data: unknown) => {
      if (sent === name) listener(data);
    };
    ipcRenderer.on(eventChannel, receive);
    return () => void ipcRenderer.off(eventChannel, receive);
  },
} satisfies Record<keyof Bridge, unknown>;

contextBridge.exposeInMainWorld('studio', bridge);

/** As much of a drag event as is used here: this layer compiles without the page's types. */
interface DragLike {
  readonly isTrusted: boolean;
  preventDefault(): void;
  readonly dataTransfer: {
    readonly types: readonly string[];
    readonly files: ArrayLike<Parameters<typeof webUtils.getPathForFile>[0]>;
    dropEffect: string;
  } | null;
}
interface DropWindow {
  addEventListener(name: 'dragover' | 'drop', listener: (event: DragLike) => void, capture: true): void;
}

// The page never names a dropped path itself: paths come from events that the system made, seen here before the page sees them.
const dropWindow = globalThis as unknown as DropWindow; // a sandboxed preload's global is the window
dropWindow.addEventListener(
  'dragover',
  (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  },
  true,
);
dropWindow.addEventListener(
  'drop',
  (event) => {
    const { dataTransfer, isTrusted } = event;
    if (!dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const paths = Array.from(dataTransfer.files, (file) => webUtils.getPathForFile(file)).filter((path) => path !== '');
    if (isTrusted && paths.length > 0) void ipcRenderer.invoke(dropChannel, paths);
  },
  true,
);
