/** Where the app keeps what its user makes. Apart from the studio: the app asks before it loads that. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The app's own data folder where the user names none. */
export function defaultHome(): string {
  switch (process.platform) {
    case 'win32':
      return join(process.env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'PEFT Studio');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'PEFT Studio');
    default:
      return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'peft-studio');
  }
}
