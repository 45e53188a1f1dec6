/** Every text of the window goes through these: see electron/language. */
export { mark, n, said, t } from '../electron/language/index.js';
