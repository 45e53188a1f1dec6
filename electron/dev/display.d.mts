/** Xvfb on a free display number, unless there is a display already: the environment for children, and the end of the display. */
export function openDisplay(
  env?: NodeJS.ProcessEnv,
): Promise<{ readonly env: NodeJS.ProcessEnv; readonly stop: () => void }>;
