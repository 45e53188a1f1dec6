/** Names of the app's two channels between window and main process. */
export const callChannel = 'studio:call';
export const eventChannel = 'studio:event';
