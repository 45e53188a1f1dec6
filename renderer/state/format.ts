/** Numbers, sizes and times as every screen writes them; the reports that leave the app write them the same way. */
export * from '../../electron/charting/format.js';
