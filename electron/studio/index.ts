/** The studio: everything a user does, for the window and for the command alike. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Handlers } from '../contract/calls.js';
import { StudioError } from '../contract/errors.js';
import { openDatabase, Presence, runs } from '../storage/index.js';
import { adviceCalls } from './advice/calls.js';
import { appCalls } from './app.js';
import { chatCalls } from './chat.js';
import { compareCalls } from './compare.js';
import { changed, type Context, type Emit } from './context.js';
import { datasetCalls } from './datasets.js';
import { deviceCalls, DeviceTests, type DeviceTestOptions } from './devices.js';
import { estimateCalls } from './estimate.js';
import { exportCalls } from './exports.js';
import { furtherCalls } from './further/index.js';
import { Jobs } from './jobs.js';
import { Log, loggedCalls, loggedEvents, logUncaught } from './log/index.js';
import { refinementCalls } from './lineage.js';
import { mergeCheckCalls } from './merge-check.js';
import { ensureStarter, modelCalls } from './models.js';
import { playgroundCalls } from './playground.js';
import { pretrainingCalls } from './pretraining.js';
import { planFileCalls } from './plan-file.js';
import { profileCalls } from './profiles.js';
import { projectCalls } from './projects.js';
import { RunQueue } from './queue.js';
import { takeOver, watchOthers } from './recovery.js';
import { runCalls } from './runs.js';
import { sampleCalls } from './samples.js';
import { AnswerProcess } from './served.js';
import { studyCalls } from './studies/calls.js';
import { StudyRunner } from './studies/runner.js';
import type { SpawnTrainer } from './trainer-port.js';
import { Unwritten } from './unwritten.js';
import { tokenCalls } from './tokens.js';
import { virtualWordsCalls } from './virtual-words.js';
import { wordingCalls } from './wordings.js';

export interface StudioOptions {
  readonly home: string;
  readonly spawnTrainer: SpawnTrainer;
  readonly emit: Emit;
  /** Folder of the starter model and the samples; found beside the program where left out. */
  readonly assets?: string;
  /** Takes up at once what waits in the queue from before; the command trains only what it is asked for. True where left out. */
  readonly startQueued?: boolean;
  /** Tests devices that have no result yet by itself, in the background; as `startQueued` where left out. */
  readonly checkDevices?: boolean;
  /** What may wait does so until then: the test of devices. */
  readonly quiet?: Promise<void>;
  readonly deviceTests?: Pick<DeviceTestOptions, 'secondsToAnswer'>;
}

export interface Studio {
  readonly handlers: Handlers;
  /** Lets the active run write a checkpoint, ends the processes and closes the database. */
  close(): Promise<void>;
}

const here = dirname(fileURLToPath(import.meta.url));
/** Above dist/ or, from the sources, above electron/studio/. */
const programFolders = [join(here, '..'), join(here, '..', '..')];

/** Electron's folder of what lies beside the app's archive; none in plain Node. */
const resources =
  'resourcesPath' in process && typeof process.resourcesPath === 'string' ? [process.resourcesPath] : [];

/** The folder of the starter model and the samples: in a checkout beside dist/, when packaged among the resources, unpacked. */
function assetsFolder(): string {
  const found = [...resources, ...programFolders]
    .map((folder) => join(folder, 'native-assets'))
    .find((folder) => existsSync(join(folder, 'samples')));
  if (found === undefined)
    throw new StudioError('bad-file', 'The bundled starter model and samples are missing.', 'Install the app again.');
  return resolve(found);
}

/** Version of this app, from its package.json. */
export function appVersion(): string {
  const file = programFolders.map((folder) => join(folder, 'package.json')).find((name) => existsSync(name));
  try {
    return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file ?? '', 'utf8'))).version;
  } catch {
    return 'unknown';
  }
}

const noUpdates = () => Promise.reject(new StudioError('bad-input', 'The command does not update the app.'));

/**
 * Opens the data folder and takes up what waits in the queue.
 * Throws StudioError 'database' (locked, newer) or 'no-access'.
 */
export async function openStudio({
  home,
  spawnTrainer,
  emit,
  assets = assetsFolder(),
  startQueued = true,
  checkDevices = startQueued,
  quiet = Promise.resolve(),
  deviceTests = {},
}: StudioOptions): Promise<Studio> {
  const version = appVersion();
  const licencesFolder =
    resources.map((folder) => join(folder, 'licences')).find((folder) => existsSync(folder)) ?? null;
  const log = new Log(home);
  const { database, notices } = await openDatabase(home).catch((error: unknown) => {
    if (existsSync(home)) log.problem('open', error);
    throw error;
  });
  const presence = await Presence.announce(home).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  try {
    const told = notices.map((text) => ({ severity: 'bad' as const, text }));
    const logged = loggedEvents(log);
    const stopLogging = logUncaught(log);
    const { node, electron } = process.versions;
    log.write('start', { version, platform: process.platform, arch: process.arch, node, electron });
    const tell: Context['emit'] = (event, data) => {
      const whole = { event, data } as Parameters<Emit>[0];
      logged(whole);
      emit(whole);
    };
    const base: Omit<Context, 'devices'> = {
      database,
      home,
      assets,
      spawnTrainer,
      emit: tell,
      jobs: new Jobs((job) => tell('job', job)),
      presence,
      unwritten: new Unwritten(log),
      log,
    };
    const context: Context = {
      ...base,
      devices: new DeviceTests(base, { appVersion: version, ...deviceTests }),
    };
    const { interrupted, waiting, studies: cutOff } = await takeOver(context);
    if (interrupted.length + cutOff.length > 0)
      log.write('interrupted', { runs: interrupted.length, studies: cutOff.length });
    const notice =
      interrupted.length === 1
        ? 'A run was cut off when the app ended. Resume it to go on from its last checkpoint.'
        : `${interrupted.length} runs were cut off when the app ended. Resume them to go on from their last checkpoints.`;
    await ensureStarter(context);
    const queue = new RunQueue(context);
    const studies = new StudyRunner(context, queue, version);
    const answers = new AnswerProcess(context);
    const handlers: Handlers = {
      ...appCalls(context, { version, licencesFolder }, [
        ...told,
        // A study that goes on takes its run along.
        ...(cutOff.length > 0
          ? [
              {
                severity: 'warn' as const,
                text: 'A study was cut off when the app ended. Resume it to go on where it was.',
              },
            ]
          : interrupted.length > 0
            ? [{ severity: 'warn' as const, text: notice }]
            : []),
      ]),
      ...projectCalls(context),
      ...sampleCalls(context),
      ...modelCalls(context),
      ...pretrainingCalls(context),
      ...datasetCalls(context),
      ...profileCalls(context),
      ...tokenCalls(context),
      ...runCalls(context, queue),
      ...estimateCalls(context),
      ...refinementCalls(context),
      ...compareCalls(context),
      ...studyCalls(context, studies, version),
      ...adviceCalls(context),
      ...playgroundCalls(context, answers),
      ...chatCalls(context, answers),
      ...virtualWordsCalls(context, answers),
      ...wordingCalls(context, answers),
      ...mergeCheckCalls(context),
      ...exportCalls(context),
      ...furtherCalls(context),
      ...planFileCalls(),
      ...deviceCalls(context),
      // Updates, dialogs and the file manager belong to the window's shell.
      'updates.get': noUpdates,
      'updates.check': noUpdates,
      'updates.download': noUpdates,
      'updates.install': noUpdates,
      'files.choose': () => Promise.reject(new StudioError('bad-input', 'There is no window to choose a file in.')),
      'files.show': () => Promise.reject(new StudioError('bad-input', 'There is no window to show a file in.')),
    };
    if (checkDevices) void quiet.then(() => context.devices.testInBackground());
    if (startQueued) await queue.adopt(waiting);
    const stopWatching = watchOthers(context, async (left) => {
      for (const id of left.interrupted) tell('run', queue.decorate(await runs.getRun(database, id)));
      if (left.interrupted.length > 0) changed(context, 'runs');
      if (left.studies.length > 0) changed(context, 'studies');
      if (startQueued) await queue.adopt(left.waiting);
    });
    return {
      handlers: loggedCalls(handlers, log),
      close: async () => {
        await stopWatching();
        context.devices.close();
        await context.jobs.close();
        await Promise.all([queue.close(), studies.close()]);
        answers.close();
        // What cannot be written even now is found by the next start: it sees that this process has ended.
        await context.unwritten.retry().catch(() => undefined);
        await database.close();
        await presence.release();
        stopLogging();
        log.write('end');
      },
    };
  } catch (error) {
    await database.close();
    await presence.release();
    throw error;
  }
}
