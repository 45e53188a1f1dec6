import type { ChildProcess } from 'node:child_process';

/** Opens the built studio; where there is no display, on a virtual one. */
export function openStudio(electron: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildProcess>;
