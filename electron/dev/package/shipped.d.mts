export interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly homepage: string;
  /** From the checkout's root. */
  readonly folder: string;
  /** Every licence and notice of the package. */
  readonly texts: readonly string[];
}
/** Native packages and what they load. */
export const unbundled: readonly string[];
/** Every third-party package in the installers. Throws PrepareError for one without a licence or its text. */
export function shippedPackages(): Promise<Shipped[]>;
