export function bundlePrograms(entryPoints: Readonly<Record<string, string>>, outdir: string): Promise<unknown>;
export function bundleScript(entry: string, name: string): Promise<string>;
