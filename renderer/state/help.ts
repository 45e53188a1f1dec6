/** Where in the help something is explained. */
import type { ErrorCode } from '../../electron/contract/index.js';
import { hrefOf } from './router.svelte.js';

export const problemPage = (code: ErrorCode): string => `problem-${code}`;
export const problemHref = (code: ErrorCode): string => hrefOf({ screen: 'help', page: problemPage(code) });
