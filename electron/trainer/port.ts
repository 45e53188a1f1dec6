/** One way to talk to the studio, whichever way this process was started. */
export interface Port {
  /** Resolves once the message is handed over; rejects if the host is gone. */
  send(message: unknown): Promise<void>;
  onMessage(listener: (message: unknown) => void): void;
  /** The host ended or let go of this process. */
  onClose(listener: () => void): void;
}

/** What Electron's utility process offers as `process.parentPort`; named here so that Electron is not imported. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

function isParentPort(value: unknown): value is ParentPort {
  return (
    typeof value === 'object' &&
    value !== null &&
    'postMessage' in value &&
    typeof value.postMessage === 'function' &&
    'on' in value &&
    typeof value.on === 'function'
  );
}

/**
 * Connects to the process that started this one: Electron's utilityProcess or child_process.fork.
 * @throws Error when neither started it.
 */
export function connectToHost(): Port {
  const parent: unknown = Reflect.get(process, 'parentPort');
  if (isParentPort(parent)) {
    return {
      send: async (message) => parent.postMessage(message),
      onMessage: (listener) => parent.on('message', (event) => listener(event.data)),
      // Electron ends a utility process together with its parent, so there is nothing to watch.
      onClose: () => undefined,
    };
  }
  const send = process.send?.bind(process);
  if (send === undefined)
    throw new Error('The trainer is started by the studio (utilityProcess or fork), not by hand.');
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        // An IPC channel that is gone makes send throw or report the error; both mean the same.
        send(message, undefined, undefined, (error: Error | null) => (error === null ? resolve() : reject(error)));
      }),
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  };
}
