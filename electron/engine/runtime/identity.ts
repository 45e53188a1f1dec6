/** Which ONNX Runtime is installed, told without loading it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

export interface RuntimeIdentity {
  readonly version: string;
  /** Its native libraries for this system with their sizes: one that was added (CUDA's, say) makes another runtime. */
  readonly libraries: readonly string[];
}

/** `version` is "unknown" where the package is not to be found; training then fails with a reason of its own. */
export function runtimeIdentity(): RuntimeIdentity {
  try {
    const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8')));
    const binaries = join(dirname(packageFile), 'bin');
    const libraries = readdirSync(binaries).flatMap((api) => {
      const folder = join(binaries, api, process.platform, process.arch);
      return readdirSync(folder).map((name) => `${name} ${statSync(join(folder, name)).size}`);
    });
    return { version, libraries: libraries.sort() };
  } catch {
    return { version: 'unknown', libraries: [] };
  }
}
