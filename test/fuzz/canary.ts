/** What lies around the folder that a reader may use, to see that it stays as it was. */
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** All files and folders with size and time, but for what the reader is given and works in. */
export function treeOf(sandbox: string): ReadonlySet<string> {
  const lines = new Set<string>();
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(sandbox, path);
      if (name === 'work' || name === 'a/b/c/d/chosen') continue;
      lines.add(entry.isDirectory() ? `${name}/` : `${name} ${statSync(path).size} ${statSync(path).mtimeMs}`);
      if (entry.isDirectory()) walk(path);
    }
  };
  walk(sandbox);
  return lines;
}
