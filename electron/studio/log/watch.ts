/** What of the studio's doings goes into the log: events when something began or ended, and calls that failed. */
import type { Handlers, StudioEvent } from '../../contract/calls.js';
import type { Log } from './log.js';

/** Logs the ends of jobs, and runs and studies whenever their state changes. */
export function loggedEvents(log: Log): (event: StudioEvent) => void {
  const states = new Map<string, string>();
  const changed = (key: string, state: string) => {
    if (states.get(key) === state) return false;
    states.set(key, state);
    return true;
  };
  return ({ event, data }) => {
    if (event === 'job' && data.state !== 'running')
      log.write('job', { kind: data.kind, state: data.state, code: data.problem?.code });
    else if (event === 'run' && changed(`run ${data.id}`, data.state))
      log.write('run', {
        id: data.id,
        state: data.state,
        objective: data.plan.objective,
        method: data.plan.method.type,
        device: data.device,
        step: data.step,
        code: data.problem?.code,
      });
    else if (event === 'study' && changed(`study ${data.id}`, data.state))
      log.write('study', { id: data.id, state: data.state, kind: data.kind, code: data.problem?.code });
  };
}

/** The handlers, with what they refuse logged. */
export function loggedCalls(handlers: Handlers, log: Log): Handlers {
  const entries = Object.entries(handlers).map(([name, handle]) => [
    name,
    async (request: never) => {
      try {
        return await (handle as (request: never) => Promise<unknown>)(request);
      } catch (error) {
        log.problem(name, error);
        throw error;
      }
    },
  ]);
  return Object.fromEntries(entries) as Handlers;
}

/** What nobody catches ends the process; the log tells where it came from. @returns the function that stops listening */
export function logUncaught(log: Log): () => void {
  const listener = (error: Error) => log.problem('uncaught', error);
  process.on('uncaughtExceptionMonitor', listener);
  return () => void process.off('uncaughtExceptionMonitor', listener);
}
