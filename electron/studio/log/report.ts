/** The diagnostic report: what a helper needs to know of this app, system and data folder, without the user's names, texts and paths. */
import { cpus, homedir, release, totalmem, version } from 'node:os';
import type { DeviceReport, Settings } from '../../contract/entities.js';
import { runtimeIdentity } from '../../engine/index.js';
import { datasets, models, projects, records, runs, studies } from '../../storage/index.js';
import { bytesOfHome, freeBytes } from '../files.js';
import { defaultHome } from '../home.js';
import type { Context } from '../context.js';

const loggedLines = 200;

/** "3 finished, 1 failed"; "none" of an empty list. */
function tally(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} ${value}`).join(', ') || 'none';
}

/** Reasons of drivers and runtimes may name files: paths are cut to their last part. */
const withoutPaths = (text: string) =>
  text
    .replaceAll(homedir(), '~')
    .replace(/(?:[A-Za-z]:)?(?:[\\/][^\\/\s"':;,()]+)+[\\/]([^\\/\s"':;,()]+)/g, '…/$1')
    .slice(0, 500);

const deviceLine = ({ id, status, secondsPerStep, difference, reason, inUse }: DeviceReport) =>
  [
    `${id}: ${status}${inUse ? ', in use' : ''}`,
    secondsPerStep === null ? '' : `${secondsPerStep.toFixed(3)} s a step`,
    difference === null ? '' : `difference ${difference.toExponential(1)}`,
    reason === null ? '' : withoutPaths(reason),
  ]
    .filter(Boolean)
    .join('; ');

const settingsLine = (settings: Settings) =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

export interface Diagnosed {
  readonly version: string;
  readonly devices: readonly DeviceReport[];
}

/** The report as Markdown. */
export async function diagnosticReport(
  { database, home, jobs, log }: Pick<Context, 'database' | 'home' | 'jobs' | 'log'>,
  { version: appVersion, devices }: Diagnosed,
): Promise<string> {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const all = await projects.listProjects(database, true);
  const archived = [...all, ...(await projects.listProjects(database, false))];
  const ids = [...new Set(archived.map(({ id }) => id))];
  const sets = (await Promise.all(ids.map((id) => datasets.listDatasets(database, id)))).flat();
  const work = (await Promise.all(ids.map((id) => runs.listRuns(database, id)))).flat();
  const asked = (await Promise.all(ids.map((id) => studies.listStudies(database, id)))).flat();
  const bases = await models.listModels(database);
  const versions = ['node', 'electron', 'chrome', 'v8'].flatMap((name) =>
    process.versions[name] === undefined ? [] : [`${name} ${process.versions[name]}`],
  );
  const section = (title: string, lines: readonly string[]) =>
    `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
  return [
    `# PEFT Studio: diagnostic report of ${new Date().toISOString()}`,
    'No names, texts and paths of yours are in it. Read it through before you send it.',
    section('App and system', [
      `PEFT Studio ${appVersion}, ${versions.join(', ')}, ONNX Runtime ${runtimeIdentity().version}`,
      `${process.platform} ${process.arch} ${release()} (${version()})`,
      `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} threads, ${gigabytes(totalmem())} memory`,
    ]),
    section('Devices', devices.map(deviceLine)),
    section('Settings', [settingsLine(await records.readSettings(database))]),
    section('Data folder', [
      `${home === defaultHome() ? 'at its usual place' : 'at another place'}, ${gigabytes(await bytesOfHome(home))} used, ${gigabytes(await freeBytes(home))} free`,
      `${ids.length} projects`,
      `base models: ${tally(bases.map(({ architecture, builtIn }) => (builtIn ? `${architecture} (built in)` : architecture)))}`,
      `data sets: ${tally(sets.map(({ task }) => task))}`,
      `runs: ${tally(work.map(({ state, problem }) => (problem ? `${state} (${problem.code})` : state)))}`,
      `methods: ${tally(work.map(({ plan }) => plan.method.type))}`,
      `studies: ${tally(asked.map(({ kind, state }) => `${kind} ${state}`))}`,
      `jobs since the start: ${tally(jobs.list().map(({ kind, state, problem }) => `${kind} ${problem?.code ?? state}`))}`,
    ]),
    `## Log\n\n\`\`\`\n${log.last(loggedLines).join('\n')}\n\`\`\``,
  ].join('\n\n');
}
