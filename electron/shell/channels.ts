/** Names of the app's channels between window and main process. */
export const callChannel = 'studio:call';
export const eventChannel = 'studio:event';
/** Paths that the user dropped on the window; sent by the preload only. */
export const dropChannel = 'studio:drop';
