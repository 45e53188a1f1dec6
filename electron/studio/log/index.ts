/** The log, and the report that is made of it. */
export { Log } from './log.js';
export { diagnosticReport } from './report.js';
export { loggedCalls, loggedEvents, logUncaught } from './watch.js';
