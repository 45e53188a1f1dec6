/** German, all of it. */
import type { Catalogue } from '../tongue.js';
import common from './common.json' with { type: 'json' };

const german: Catalogue = { ...common };
export default german;
