/** Whether the app was started as the command. No Electron here, so it is tested in plain Node. */

/** The words of a command in the arguments of the app; null where a window is wanted. Everything after `--cli` is the command's. */
export function commandWords(argv: readonly string[]): readonly string[] | null {
  const at = argv.indexOf('--cli');
  if (at < 0) return null;
  const words = argv.slice(at + 1);
  return words[0] === '--' ? words.slice(1) : words;
}
