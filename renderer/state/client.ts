/**
 * The window's one way to the studio: typed, validated calls and events over `window.studio`.
 * Failures arrive as a Problem and are thrown as a StudioError, so a screen catches one class.
 */
import { calls, events, firstIssue, problemOf, problemSchema, StudioError } from '../../electron/contract/index.js';
import type { Bridge, CallInput, CallName, CallOutput, EventData, EventName } from '../../electron/contract/index.js';
import { t } from '../language.js';

declare global {
  interface Window {
    /** Put there by the preload; missing when the page is opened outside the app. */
    readonly studio?: Bridge;
  }
}

function bridge(): Bridge {
  if (!window.studio)
    throw new StudioError(
      'internal',
      t('The page has no connection to the studio.'),
      t('Close the window and start PEFT Studio again.'),
    );
  return window.studio;
}

/**
 * Asks the studio. The request is copied to plain data first, since reactive proxies cannot cross processes.
 * @throws StudioError with the studio's own code, message and hint, or `bad-input` when the request breaks the contract.
 */
export async function call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
  const checked = calls[name].input.safeParse(input);
  if (!checked.success)
    throw new StudioError('bad-input', firstIssue(checked.error), t('Correct the value and try again.'), {
      call: name,
    });
  const plain: CallInput<N> = JSON.parse(JSON.stringify(input));
  const answer = await bridge().call(name, plain);
  if (!answer.ok) {
    const problem = problemSchema.safeParse(answer.problem);
    throw problem.success
      ? StudioError.fromProblem(problem.data)
      : new StudioError('internal', t('The studio could not answer "{name}".', { name }), null);
  }
  const output = calls[name].output.safeParse(answer.value);
  if (!output.success)
    throw new StudioError(
      'internal',
      t('The studio answered "{name}" in another shape than agreed ({firstIssue}).', {
        name,
        firstIssue: firstIssue(output.error),
      }),
      t('This is a fault in the app; restarting may help.'),
    );
  return output.data as CallOutput<N>; // checked by this very schema one line above
}

/** Listens to one kind of event; data that breaks the contract are dropped with a note on the console. Returns the function that stops listening. */
export function listen<N extends EventName>(name: N, listener: (data: EventData<N>) => void): () => void {
  return bridge().on(name, (data) => {
    const checked = events[name].safeParse(data);
    if (checked.success) listener(checked.data as EventData<N>);
    else console.warn(t('Dropped an event "{name}": {firstIssue}', { name, firstIssue: firstIssue(checked.error) }));
  });
}

/** Whatever was caught, as a Problem that a ProblemView can show. */
export const toProblem = problemOf;
