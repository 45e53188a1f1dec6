/** New versions by electron-updater from the feed that the build was made with (resources/app-update.yml). */
import { app } from 'electron';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../contract/errors.js';
import type { UpdateSource } from './updates.js';

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** Why this copy does not update itself, in words for the settings; null where it does. */
export function updateReason(): string | null {
  if (!app.isPackaged) return 'This is a checkout of the sources: it is updated with them.';
  if (process.platform === 'linux' && process.env['APPIMAGE'] === undefined)
    return process.execPath.startsWith('/opt/')
      ? "This copy was installed as a package: the system's package manager updates it."
      : 'This copy was unpacked from an archive: a new version is unpacked in its place.';
  if (process.platform === 'win32' && process.env['PORTABLE_EXECUTABLE_FILE'] !== undefined)
    return 'This is the portable program: a new version takes the place of its file.';
  if (!existsSync(path.join(process.resourcesPath, 'app-update.yml')))
    return 'This build knows no release feed: new versions are installed by hand.';
  return null;
}

/** electron-updater is loaded when it is first asked. */
export function feedSource(): UpdateSource {
  let loading: Promise<typeof import('electron-updater')> | null = null;
  const load = async () => {
    loading ??= import('electron-updater');
    const { autoUpdater, CancellationToken } = await loading;
    autoUpdater.autoDownload = false;
    autoUpdater.autoInstallOnAppQuit = false;
    autoUpdater.allowDowngrade = false;
    autoUpdater.logger = null;
    // It would otherwise send a number that is drawn once for each installation.
    autoUpdater.requestHeaders = { 'x-user-staging-id': 'none' };
    return { autoUpdater, CancellationToken };
  };
  return {
    check: async () => {
      const { autoUpdater } = await load();
      try {
        const result = await autoUpdater.checkForUpdates();
        return result?.isUpdateAvailable === true ? result.updateInfo.version : null;
      } catch (error) {
        throw new StudioError(
          'not-found',
          'The release feed gave no readable answer.',
          'Check the network, then look again.',
          { reason: codeOf(error) || String(error).slice(0, 200) },
          { cause: error },
        );
      }
    },
    download: async (onShare, signal) => {
      const { autoUpdater, CancellationToken } = await load();
      const token = new CancellationToken();
      const stop = () => token.cancel();
      const tell = ({ percent }: { percent: number }) => onShare(percent / 100);
      signal.addEventListener('abort', stop, { once: true });
      autoUpdater.on('download-progress', tell);
      try {
        await autoUpdater.downloadUpdate(token);
      } catch (error) {
        const mismatch = codeOf(error) === 'ERR_CHECKSUM_MISMATCH';
        throw mismatch
          ? new StudioError(
              'bad-file',
              'The loaded file is not the one that the release feed names: its checksum differs. It was not used.',
              'Load it again; if that does not help, something between here and the feed changes files.',
              {},
              { cause: error },
            )
          : new StudioError(
              'not-found',
              'The new version could not be loaded.',
              'Check network and disk space, then load it again.',
              { reason: codeOf(error) || String(error).slice(0, 200) },
              { cause: error },
            );
      } finally {
        signal.removeEventListener('abort', stop);
        autoUpdater.off('download-progress', tell);
      }
    },
    install: () => {
      // The new version must find the place free.
      app.releaseSingleInstanceLock();
      void load().then(({ autoUpdater }) => autoUpdater.quitAndInstall(true, true));
    },
  };
}
