import type { Shipped } from './shipped.mjs';

export function thirdPartyText(packages: readonly Shipped[]): string;
/** A CycloneDX bill of materials. Throws PrepareError when npm cannot make it. */
export function billOfMaterials(packages: readonly Shipped[], electron: { readonly version: string }): Promise<unknown>;
