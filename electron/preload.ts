/** Runs sandboxed before the page: puts the contract, and nothing else, on `window.studio`. */
import { contextBridge, ipcRenderer } from 'electron';
import { z } from 'zod';
import { calls, events, type Bridge } from './contract/calls.js';
import { problemSchema, StudioError, type Problem } from './contract/errors.js';
import { firstIssue } from './contract/problem-of.js';
import { callChannel, eventChannel } from './shell/channels.js';

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
