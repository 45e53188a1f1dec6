/** The layer map of electron/README.md as rules. A folder may import itself, what its row lists, and nothing else. */
const map = 'See the layer map in electron/README.md.';
const folder = (name) => `^electron/${name}/`;

/** What each folder may import besides itself. */
const layers = {
  contract: [],
  language: ['contract'],
  charting: ['contract', 'language'],
  engine: [],
  data: ['contract', 'engine'],
  evaluation: ['contract'],
  interchange: ['contract', 'engine'],
  report: ['contract', 'charting'],
  storage: ['contract'],
  trainer: ['contract', 'data', 'engine', 'evaluation', 'interchange'],
  // The trainer's protocol is the studio's too: its messages, not its code.
  studio: ['contract', 'storage', 'data', 'evaluation', 'interchange', 'report', 'engine', 'trainer'],
  shell: ['contract', 'language', 'studio'],
  cli: ['contract', 'studio'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([name, allowed]) => ({
      name: `${name}-imports`,
      comment: `${name}/ may import ${['itself', ...allowed].join(', ')} only. ${map}`,
      severity: 'error',
      from: { path: folder(name), ...(name === 'cli' ? { pathNot: String.raw`\.mjs$` } : {}) },
      to: { path: '^(electron|renderer)/', pathNot: [name, ...allowed].map(folder) },
    })),
    {
      name: 'charting-draws-nothing-itself',
      comment: `charting/ makes options: the window and report/ each have their own door to ECharts. ${map}`,
      severity: 'error',
      from: { path: folder('charting') },
      to: { path: '^node_modules/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'engine-packages',
      comment: `engine/ could be a package of its own: no Electron, no database, no window. ${map}`,
      severity: 'error',
      from: { path: folder('engine') },
      to: { path: '^node_modules/(electron|sqlite3|kysely|svelte)/' },
    },
    {
      name: 'engine-door',
      comment: `engine/index.ts is the engine's only door. ${map}`,
      severity: 'error',
      from: { path: '^(electron|renderer)/', pathNot: folder('engine') },
      to: { path: folder('engine'), pathNot: '^electron/engine/(index|types)\\.ts$' },
    },
    {
      name: 'studio-knows-the-trainers-messages-only',
      comment: `studio/ starts the trainer as a process: it imports its protocol, never its code. ${map}`,
      severity: 'error',
      from: { path: folder('studio') },
      to: { path: folder('trainer'), pathNot: '^electron/trainer/protocol\\.ts$' },
    },
    {
      name: 'window-imports',
      comment: `renderer/ talks to the contract only, draws by charting/ and speaks by language/. ${map}`,
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^electron/', pathNot: [folder('contract'), folder('charting'), folder('language')] },
    },
    {
      name: 'dev-is-not-shipped',
      comment: `dev/ is never imported by the app. ${map}`,
      severity: 'error',
      from: { path: '^(electron|renderer)/', pathNot: '^electron/(dev/|cli/peft-studio\\.mjs)' },
      to: { path: folder('dev') },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one. Types may point back.',
      severity: 'error',
      from: { path: '^(electron|renderer)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'The file does not exist, or the package is not in package.json.',
      severity: 'error',
      from: { path: '^electron/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test-results)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'import', 'require', 'node', 'default'],
      extensions: ['.ts', '.svelte', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
