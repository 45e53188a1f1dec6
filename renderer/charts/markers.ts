/** How a method looks in every table, legend and plot: colour and shape, so that colour is never the only sign. */
import type { MethodInfo } from '../../electron/contract/index.js';

/** From `methods.list`: colour token ("cat-1") and shape. */
export type MethodLook = Pick<MethodInfo, 'colour' | 'marker'>;
