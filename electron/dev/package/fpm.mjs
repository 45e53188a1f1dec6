#!/usr/bin/env node
/**
 * Stands in for fpm where its own download cannot be reached (offline-tools.mjs): takes the arguments that electron-builder passes and
 * makes a deb by dpkg-deb or an rpm by rpmbuild. For trials on Linux; a release is made with fpm.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Options without a value; every other one has one. */
const switches = ['--force', '--debug'];
/** Options that may come several times. */
const lists = ['-d', '--deb-recommends'];

/** @param {readonly string[]} args @returns {{options: Record<string, string>, lists: Record<string, string[]>, files: [string, string][]}} */
function read(args) {
  const found = { options: {}, lists: { '-d': [], '--deb-recommends': [] }, files: [] };
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at];
    if (switches.includes(word)) continue;
    if (!word.startsWith('-')) found.files.push(word.split(/=(?=\/)/));
    else if (word.includes('=')) found.options[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1);
    else if (lists.includes(word)) found.lists[word].push(args[++at]);
    else found.options[word] = args[++at];
  }
  return found;
}

/** Puts every file where the package will; the modes are those of installed files whatever the builder's umask is. */
function stage(files, folder) {
  for (const [from, to] of files) {
    const target = path.join(folder, to);
    mkdirSync(path.dirname(target), { recursive: true });
    if (from.endsWith('/')) cpSync(from, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    else {
      copyFileSync(from, target);
      chmodSync(target, 0o644);
    }
  }
  execFileSync('chmod', ['-R', 'u+rwX,go+rX,go-w', folder]);
}

/** Names of processors as rpm spells them, where they are not Debian's. */
const rpmProcessors = { amd64: 'x86_64', arm64: 'aarch64' };

/** electron-builder asks by the variable that its other targets heed. */
const level = process.env.ELECTRON_BUILDER_COMPRESSION_LEVEL ?? '6';
const compression = (options, name) => (options[name] ?? 'xz').replace('xzmt', 'xz');

function makeDeb({ options, lists }, root) {
  const kilobytes = execFileSync('du', ['-sk', root], { encoding: 'utf8' }).split(/\s/)[0];
  const [synopsis, ...rest] = options['--description'].trim().split('\n');
  const fields = {
    Package: options['--name'],
    Version: options['--version'],
    Architecture: options['--architecture'],
    Maintainer: options['--maintainer'],
    'Installed-Size': kilobytes,
    Depends: lists['-d'].join(', '),
    Recommends: lists['--deb-recommends'].join(', '),
    Section: options['--category'] ?? 'default',
    Priority: options['--deb-priority'] ?? 'optional',
    Homepage: options['--url'],
    Description: [synopsis.trim(), ...rest.map((line) => ` ${line.trim() || '.'}`)].join('\n'),
  };
  const folder = path.join(root, 'DEBIAN');
  mkdirSync(folder);
  const lines = Object.entries(fields).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  writeFileSync(path.join(folder, 'control'), `${lines.join('\n')}\n`);
  for (const [option, name] of [
    ['--after-install', 'postinst'],
    ['--after-remove', 'postrm'],
  ])
    if (options[option]) writeFileSync(path.join(folder, name), readFileSync(options[option], 'utf8'), { mode: 0o755 });
  const kind = compression(options, '--deb-compression');
  const args = ['--root-owner-group', `-Z${kind}`, `-z${level}`, '-b', root, options['--package']];
  execFileSync('dpkg-deb', args, { stdio: 'inherit' });
}

function makeRpm({ options, lists, files }, root, work) {
  const script = (option) => (options[option] ? readFileSync(options[option], 'utf8').replaceAll('%', '%%') : '');
  const kind = compression(options, '--rpm-compression');
  const spec = `
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%define _binary_payload w${level}.${kind}dio
AutoReqProv: no
Name: ${options['--name']}
Version: ${options['--version']}
Release: 1
Summary: ${options['--rpm-summary'] ?? options['--description'].trim().split('\n')[0]}
License: ${options['--license'] ?? 'unknown'}
Group: ${options['--category'] ?? 'default'}
Vendor: ${options['--vendor']}
URL: ${options['--url']}
Packager: ${options['--maintainer']}
${lists['-d'].map((name) => `Requires: ${name}`).join('\n')}
%description
${options['--description'].trim()}
%post
${script('--after-install')}
%postun
${script('--after-remove')}
%files
%defattr(-,root,root,-)
${files.map(([, to]) => `"${to}"`).join('\n')}
`;
  const file = path.join(work, 'package.spec');
  writeFileSync(file, spec);
  const out = path.join(work, 'out');
  const defines = Object.entries({ _topdir: path.join(work, 'rpm'), _rpmdir: out }).flatMap(([name, value]) => [
    '--define',
    `${name} ${value}`,
  ]);
  const args = [
    '-bb',
    '--quiet',
    '--target',
    rpmProcessors[options['--architecture']] ?? options['--architecture'],
    '--buildroot',
    root,
    ...defines,
    '--nodeps',
    file,
  ];
  execFileSync('rpmbuild', args, { stdio: 'inherit' });
  const made = readdirSync(out, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.rpm'));
  if (!made) throw new Error('rpmbuild left no package');
  copyFileSync(path.join(out, made), options['--package']);
}

const request = read(process.argv.slice(2));
// Beside the result: a package is larger than many a /tmp.
const work = mkdtempSync(path.join(path.dirname(request.options['--package'] ?? tmpdir()), '.fpm-'));
try {
  const root = path.join(work, 'root');
  mkdirSync(root);
  stage(request.files, root);
  rmSync(request.options['--package'], { force: true });
  if (request.options['-t'] === 'deb') makeDeb(request, root);
  else if (request.options['-t'] === 'rpm') makeRpm(request, root, work);
  else throw new Error(`This stand-in for fpm makes no ${request.options['-t']}.`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
