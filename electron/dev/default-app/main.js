/** The launcher that Electron's own archive brings as default_app.asar, as far as this project needs it: `electron [options] FOLDER`. */
const { app } = require('electron');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const preload = [];
let target = null;
const args = process.argv.slice(1);
for (let index = 0; index < args.length; index++) {
  const arg = args[index];
  if (arg === '--version' || arg === '-v') {
    process.stdout.write(`v${process.versions.electron}\n`);
    process.exit(0);
  } else if (arg === '-r' || arg === '--require') {
    preload.push(args[++index]);
  } else if (!arg.startsWith('-')) {
    target = path.resolve(arg);
    break;
  }
}
if (target === null) {
  process.stderr.write('Usage: electron [options] FOLDER\n');
  process.exit(1);
}

// Playwright's loader comes this way.
Module._preloadModules(preload);
const manifestPath = path.join(target, 'package.json');
if (fs.existsSync(manifestPath)) {
  const manifest = JSON.parse(fs.readFileSync(manifestPath, 'utf8'));
  if (manifest.version) app.setVersion(manifest.version);
  app.setName(manifest.productName ?? manifest.name);
  app.setPath('userData', path.join(app.getPath('appData'), app.getName()));
}
app.setAppPath(fs.statSync(target).isDirectory() ? target : path.dirname(target));
Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true });
require(target);
