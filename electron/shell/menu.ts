/** The smallest menu that keeps the system's editing and window keys alive; everything else is in the page. */
import { Menu } from 'electron';
import { t } from './language.js';

/** Sets the menu in the language spoken now. */
export function setMenu(): void {
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      ...(process.platform === 'darwin' ? [{ role: 'appMenu' as const }] : []),
      {
        label: t('Edit'),
        submenu: [
          { role: 'undo', label: t('Undo') },
          { role: 'redo', label: t('Redo') },
          { type: 'separator' },
          { role: 'cut', label: t('Cut') },
          { role: 'copy', label: t('Copy') },
          { role: 'paste', label: t('Paste') },
          { role: 'delete', label: t('Delete') },
          { type: 'separator' },
          { role: 'selectAll', label: t('Select all') },
        ],
      },
      {
        label: t('View'),
        submenu: [
          { role: 'zoomIn', label: t('Larger') },
          { role: 'zoomOut', label: t('Smaller') },
          { role: 'resetZoom', label: t('Actual size') },
          { type: 'separator' },
          { role: 'togglefullscreen', label: t('Full screen') },
        ],
      },
      {
        label: t('Window'),
        role: 'window',
        submenu: [
          { role: 'minimize', label: t('Minimize') },
          { role: 'zoom', label: t('Zoom') },
          { type: 'separator' },
          { role: 'close', label: t('Close') },
        ],
      },
    ]),
  );
}
