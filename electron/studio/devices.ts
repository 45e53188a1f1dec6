/** Devices: tested by themselves when there is no result for this machine, and offered only once they agreed with the CPU. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Handlers } from '../contract/calls.js';
import type { DeviceReport, TestedDevice } from '../contract/entities.js';
import { StudioError } from '../contract/errors.js';
import { problemOf } from '../contract/problem-of.js';
import type { DeviceChoice, DeviceId } from '../contract/plan.js';
import { records, runs } from '../storage/index.js';
import { changed, now, type Context } from './context.js';
import { chooseDevice, deviceTitles, devicesOf, explainChoice, fastestDevice } from './device-choice.js';
import { throwIfAborted, type JobHandle } from './jobs.js';
import { machineKey } from './machine.js';
import { TrainerClient } from './trainer-client.js';

type Group = Pick<Handlers, 'devices.list' | 'devices.test'>;

/** From one step of a test to the next; a software renderer takes up to half a minute to compile the kernels of one. */
const SECONDS_TO_ANSWER = 180;
const MILLISECONDS_BETWEEN = 3000;

export interface DeviceTestOptions {
  /** A new version of the app may compute otherwise: its devices are tested anew. */
  readonly appVersion: string;
  readonly secondsToAnswer?: number;
}

export class DeviceTests {
  readonly #here = devicesOf(process.platform);
  /** The tests under way. */
  #round: Promise<void> | null = null;
  /** Devices of that round without an answer yet. */
  readonly #pending = new Set<DeviceId>();
  /** A run trains: a test beside it would slow both, and measure neither. */
  #heldOff = false;
  #closed = false;
  #key: Promise<string> | null = null;
  #jobId: string | null = null;
  #background: NodeJS.Timeout | null = null;

  constructor(
    private readonly context: Omit<Context, 'devices'>,
    private readonly options: DeviceTestOptions,
  ) {}

  /** Every device that this system can have, with what is known of it. */
  async list(): Promise<DeviceReport[]> {
    const tested = new Map((await this.#tested()).map((report) => [report.id, report]));
    const { device } = await records.readSettings(this.context.database);
    const inUse = device === 'auto' ? fastestDevice([...tested.values()]) : device;
    const usable = inUse === 'cpu' || tested.get(inUse)?.status === 'passed';
    return this.#here.map((id) => {
      const untested = { id, difference: null, secondsPerStep: null, reason: null, testedAt: null };
      const found = this.#pending.has(id)
        ? { ...untested, status: 'testing' as const }
        : (tested.get(id) ?? { ...untested, status: 'untested' as const });
      return { ...found, title: deviceTitles[id], inUse: usable && id === inUse };
    });
  }

  /** Sees to it that every device has a result, as soon as no run trains: here, or in another process on this data folder. */
  testInBackground(): void {
    const attempt = async () => !(await this.#othersTrain()) && (await this.ensure());
    const again = (done: boolean) => {
      if (done || this.#closed) return;
      this.#background = setTimeout(() => void attempt().then(again, failed), MILLISECONDS_BETWEEN).unref();
    };
    const failed = (error: unknown) => {
      // One that was stopped is made up for when a run needs it, or at the next start.
      if (problemOf(error).code === 'cancelled') return;
      this.context.log.problem('devices', error);
      console.error(error);
    };
    void attempt().then(again, failed);
  }

  /** Tests the devices that have no result under today's runtime, drivers and machine; false where a run trains, and none was tested. */
  async ensure(): Promise<boolean> {
    if (this.#heldOff || this.#closed) return false;
    await (this.#round ?? this.#start('missing'));
    return true;
  }

  /** Tests every device anew. @throws StudioError 'conflict' while a run trains */
  async testAll(): Promise<void> {
    while (this.#round) await this.#round.catch(() => undefined);
    if (this.#heldOff)
      throw new StudioError(
        'conflict',
        'A run is training: a test beside it would slow both, and measure neither.',
        'Pause the run or wait for its end, then test the devices.',
      );
    await this.#start('all');
  }

  /**
   * The device that a plan's choice means, with a line for the run's log; "auto" is the setting's, and there the fastest. What has not
   * been tested is tested first.
   * @param before the device that the run was begun on: it goes on there, to the same numbers, or not at all unless asked
   * @throws StudioError 'device-failed' for one that did not pass
   */
  async resolve(choice: DeviceChoice, before: DeviceId | null = null): Promise<{ device: DeviceId; why: string }> {
    const wanted = choice === 'auto' ? (await records.readSettings(this.context.database)).device : choice;
    if (wanted !== 'cpu') {
      // A test that the user or the end of the app cut short leaves what is known: the CPU at least.
      await this.ensure().catch((error: unknown) => {
        if (problemOf(error).code !== 'cancelled') throw error;
      });
    }
    const tested = await this.#tested();
    if (choice === 'auto' && before !== null) {
      // Another device is the user's to choose: its numbers differ in their last digits.
      chooseDevice(before, tested, 'Go on on another device, or mend that and test the devices again.');
      return { device: before, why: `Device: ${deviceTitles[before]}, on which the run was begun.` };
    }
    const device = chooseDevice(wanted, tested);
    return { device, why: explainChoice(wanted, device, tested) };
  }

  /** Waits for the tests under way and lets none start until the returned function is called. */
  async holdOff(): Promise<() => void> {
    while (this.#round) await this.#round.catch(() => undefined);
    this.#heldOff = true;
    return () => {
      this.#heldOff = false;
    };
  }

  /** Cuts the tests under way short; who waits for them goes on with what is known. */
  stop(): void {
    if (this.#jobId !== null) this.context.jobs.cancel(this.#jobId);
  }

  /** No test starts from now on; `Jobs.close` ends the one under way. */
  close(): void {
    this.#closed = true;
    if (this.#background) clearTimeout(this.#background);
  }

  async #othersTrain(): Promise<boolean> {
    const { database, presence } = this.context;
    for (const worker of await runs.workers(database))
      if (worker !== null && worker !== presence.id && (await presence.isAlive(worker))) return true;
    return false;
  }

  async #tested(): Promise<TestedDevice[]> {
    return records.listTestedDevices(this.context.database, await this.#machine());
  }

  #machine(): Promise<string> {
    this.#key ??= machineKey(this.options.appVersion);
    return this.#key;
  }

  #start(which: 'missing' | 'all'): Promise<void> {
    const round = this.#test(which).finally(() => {
      this.#round = null;
    });
    this.#round = round;
    return round;
  }

  async #test(which: 'missing' | 'all'): Promise<void> {
    if (which === 'all') this.#key = null; // a driver may have come since
    const known = which === 'all' ? [] : (await this.#tested()).map(({ id }) => id);
    const wanted = this.#here.filter((id) => !known.includes(id));
    if (wanted.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const { jobId } = this.context.jobs.start('device-test', 'Checking devices', (handle) => {
        const work = this.#testEach(wanted, handle);
        work.then(resolve, reject);
        return work;
      });
      this.#jobId = jobId;
    });
  }

  async #testEach(wanted: readonly DeviceId[], handle: JobHandle): Promise<void> {
    const { database } = this.context;
    for (const id of wanted) this.#pending.add(id);
    changed(this.context, 'devices');
    try {
      for (const [done, id] of wanted.entries()) {
        handle.progress(done, wanted.length, deviceTitles[id]);
        const report = await this.#testOne(id, handle.signal);
        await records.saveTestedDevice(database, await this.#machine(), report);
        this.#pending.delete(id);
        changed(this.context, 'devices');
      }
    } finally {
      this.#jobId = null;
      this.#pending.clear();
      changed(this.context, 'devices');
    }
  }

  /** In a process of its own: a driver may take the process down, or never answer. @throws StudioError 'cancelled' */
  async #testOne(id: DeviceId, signal: AbortSignal): Promise<TestedDevice> {
    throwIfAborted(signal);
    const { secondsToAnswer = SECONDS_TO_ANSWER } = this.options;
    const { database, presence } = this.context;
    const { threads } = await records.readSettings(database);
    const folder = await mkdtemp(join(await presence.workFolder(), 'device-'));
    const client = new TrainerClient(() => this.context.spawnTrainer({ quiet: true }));
    const end = () => client.kill();
    let hangs = false;
    const limit = setTimeout(() => {
      hangs = true;
      end();
    }, secondsToAnswer * 1000);
    const onStep = () => void limit.refresh();
    signal.addEventListener('abort', end);
    try {
      const job = client.start<'device-test'>({ type: 'device-test', device: id, folder, threads }, onStep);
      const { report } = await job.result;
      return { ...report, testedAt: now() };
    } catch (error) {
      throwIfAborted(signal);
      const { code, message } = problemOf(error);
      const reason = hangs
        ? `The self-test stood still for ${secondsToAnswer} s and was ended. The driver may hang; a newer one may help.`
        : code === 'trainer-lost'
          ? 'The process of the self-test broke off: the driver may have taken it down. A newer one may help.'
          : message;
      return { id, status: 'failed', difference: null, secondsPerStep: null, reason, testedAt: now() };
    } finally {
      clearTimeout(limit);
      signal.removeEventListener('abort', end);
      client.close();
      // Of a process that has not quite ended it goes with this one's work folder.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

export function deviceCalls({ devices }: Context): Group {
  return {
    'devices.list': () => devices.list(),
    'devices.test': async () => {
      await devices.testAll();
      return devices.list();
    },
  };
}
