/** Path of an Electron program; fetched where there is none. Throws PrepareError with the remedy. */
export function prepareElectron(options?: { readonly retry?: boolean }): Promise<string>;
