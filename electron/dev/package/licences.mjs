/** dist/licences: what installers carry beside the app, so that whoever gets it can read every licence and knows every part. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root, runCommand, PrepareError } from '../tools.mjs';
import { shippedPackages } from './shipped.mjs';

const folder = path.join(root, 'dist', 'licences');
const rule = '='.repeat(100);

/**
 * The texts of all packages, each text once with the packages that it stands for.
 * @param {readonly import('./shipped.mjs').Shipped[]} packages
 * @returns {string}
 */
export function thirdPartyText(packages) {
  const byTexts = new Map();
  for (const entry of packages) {
    const text = entry.texts.join(`\n\n${'-'.repeat(100)}\n\n`);
    byTexts.set(text, [...(byTexts.get(text) ?? []), entry]);
  }
  const line = ({ name, version, license, homepage }) =>
    [`${name} ${version}`, license, homepage].filter(Boolean).join('  ');
  return [
    'PEFT Studio contains code of these packages. Their licences follow. Electron and Chromium: LICENSE.electron.txt and',
    'LICENSES.chromium.html beside the program. The sample data: native-assets/samples.',
    '',
    ...packages.map((entry) => `  ${line(entry)}`),
    ...[...byTexts].flatMap(([text, entries]) => ['', rule, ...entries.map(line), rule, '', text]),
    '',
  ].join('\n');
}

/**
 * A CycloneDX bill: npm's own for the lock file, cut to what is shipped, with Electron and its parts.
 * @param {readonly import('./shipped.mjs').Shipped[]} packages
 * @param {{version: string}} electron
 * @returns {Promise<object>}
 * @throws {PrepareError} when npm cannot make it or does not know a shipped package
 */
export async function billOfMaterials(packages, electron) {
  const made = await runCommand(
    'npm',
    // vite leaves NODE_ENV at "production", which would leave out what is bundled from the development dependencies.
    ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only', '--include=dev'],
    { quiet: true },
  );
  const start = made.output.indexOf('{');
  if (made.code !== 0 || start < 0)
    throw new PrepareError(
      `npm could not write the bill of materials:\n${made.output.trim()}`,
      'It needs npm 10.2 or newer.',
    );
  const all = JSON.parse(made.output.slice(start, made.output.lastIndexOf('}') + 1));
  const wanted = new Set(packages.map(({ name, version }) => `${name}@${version}`));
  const components = all.components.filter(({ name, version }) => wanted.has(`${name}@${version}`));
  const known = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const unknown = [...wanted].filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new PrepareError(`The lock file does not hold ${unknown.join(', ')}.`, 'Run npm ci, then this again.');
  const frame = {
    'bom-ref': `electron@${electron.version}`,
    type: 'framework',
    name: 'electron',
    version: electron.version,
    purl: `pkg:npm/electron@${electron.version}`,
    licenses: [{ license: { id: 'MIT' } }],
    externalReferences: [{ type: 'website', url: 'https://www.electronjs.org' }],
  };
  const app = all.metadata.component;
  const references = new Set([
    ...components.map((component) => component['bom-ref']),
    app['bom-ref'],
    frame['bom-ref'],
  ]);
  const { name, productName } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return {
    ...all,
    // npm names the project by its folder.
    metadata: {
      ...all.metadata,
      component: { ...app, type: 'application', name, description: `${productName}. ${app.description}` },
    },
    // Where a package was downloaded from is this machine's business; its purl says what it is.
    components: [
      ...components.map((component) => ({
        ...component,
        // A development dependency of the checkout that is in the bundles is a part of the app.
        scope: 'required',
        properties: component.properties.filter(({ name: property }) => property !== 'cdx:npm:package:development'),
        externalReferences: component.externalReferences.filter(({ type }) => type !== 'distribution'),
      })),
      frame,
    ],
    dependencies: [
      ...all.dependencies.flatMap(({ ref, dependsOn = [] }) =>
        references.has(ref)
          ? [
              {
                ref,
                dependsOn: [
                  ...dependsOn.filter((one) => references.has(one)),
                  ...(ref === app['bom-ref'] ? [frame['bom-ref']] : []),
                ],
              },
            ]
          : [],
      ),
      { ref: frame['bom-ref'], dependsOn: [] },
    ],
  };
}

/** Writes the folder anew. @param {{version: string}} electron @throws {PrepareError} */
export async function writeLicences(electron) {
  const packages = await shippedPackages();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyFile(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE.txt'));
  await writeFile(path.join(folder, 'THIRD-PARTY.txt'), thirdPartyText(packages));
  await writeFile(
    path.join(folder, 'sbom.cdx.json'),
    `${JSON.stringify(await billOfMaterials(packages, electron), null, 2)}\n`,
  );
}
