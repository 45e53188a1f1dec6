/** Answers one call of the window: checks name, request and answer against the contract, and turns every failure into a Problem. No Electron here, so it is tested in plain Node. */
import { calls, type CallName, type Handlers } from '../contract/calls.js';
import { StudioError, type Problem } from '../contract/errors.js';
import { firstIssue, problemOf } from '../contract/problem-of.js';
import type { Grants } from './grants.js';

export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: Problem };
export type Dispatch = (name: unknown, input: unknown) => Promise<Answer>;

export const isCallName = (name: unknown): name is CallName => typeof name === 'string' && Object.hasOwn(calls, name);

/**
 * @param handlers the studio's, completed by the shell's
 * @param grants paths the user has chosen
 */
export function createDispatch(handlers: Handlers, grants: Grants): Dispatch {
  const answer = async <N extends CallName>(name: N, input: unknown) => {
    const call = calls[name];
    const request = call.input.safeParse(input);
    if (!request.success)
      throw new StudioError('bad-input', `${name}: ${firstIssue(request.error)}`, 'Correct the value and try again.', {
        call: name,
      });
    const handle: (request: unknown) => Promise<unknown> = handlers[name] as (request: unknown) => Promise<unknown>; // the line above parsed by this call's own schema
    grants.check(name, request.data as Parameters<typeof grants.check<N>>[1]);
    const value = call.output.safeParse(await handle(request.data));
    if (!value.success)
      throw new StudioError(
        'internal',
        `${name} answered in another shape than agreed (${firstIssue(value.error)}).`,
        'This is a fault in the app.',
        { call: name },
      );
    rememberShown(name, value.data, grants);
    return value.data;
  };
  return async (name, input) => {
    try {
      if (!isCallName(name))
        throw new StudioError('bad-input', `There is no call named ${JSON.stringify(name)?.slice(0, 80)}.`);
      return { ok: true, value: await answer(name, input) };
    } catch (error) {
      return { ok: false, problem: problemOf(error) };
    }
  };
}

/** Folders that the studio names to the window may be opened in the file manager. */
function rememberShown(name: CallName, value: unknown, grants: Grants): void {
  if (name === 'exports.list' || name === 'models.list') {
    const list = calls[name].output.parse(value);
    for (const entry of list) grants.grantShow(entry.folder);
  } else if (name === 'app.info') {
    const { home, licencesFolder } = calls[name].output.parse(value);
    for (const folder of [home, licencesFolder]) if (folder !== null) grants.grantShow(folder);
  }
}
