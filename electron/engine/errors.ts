/** Engine errors carry a code, facts and a remedy, so that the app can show them without parsing text. */
export type EngineErrorCode = 'bad-graph' | 'bad-model' | 'bad-file' | 'bad-input' | 'device-failed' | 'out-of-memory';

/** Messages quote names from files, which may be as long as the file. */
const longestMessage = 2000;

export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    readonly hint: string | null = null,
    readonly context: Readonly<Record<string, string | number | boolean | null>> = {},
    options?: ErrorOptions,
  ) {
    super(message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message, options);
  }
}
