/** The window's own state: facts of the computer, devices, settings, and the one place that listens to the studio. */
import type { CallOutput, DeviceReport, EventData, Settings, Update } from '../../electron/contract/index.js';
import { call, listen } from './client.js';
import { jobs } from './jobs.svelte.js';
import { datasets, methods, models } from './library.svelte.js';
import { projects } from './projects.svelte.js';
import { Resource } from './resource.svelte.js';
import { router } from './router.svelte.js';
import { runs } from './runs.svelte.js';
import { studies } from './studies.svelte.js';

class AppState {
  info = new Resource<CallOutput<'app.info'>>();
  devices = new Resource<readonly DeviceReport[]>();
  settings = new Resource<Settings>();
  update = new Resource<Update>();
  paletteOpen = $state(false);
  newProjectOpen = $state(false);
  /** When the studio last told of stored work; shown in the status bar. */
  savedAt = $state<string | null>(null);

  /** The device that training uses, null before the first report. */
  get device(): DeviceReport | null {
    return this.devices.value?.find((device) => device.inUse) ?? null;
  }

  /** Whether devices are being tested now, by the studio itself or because the user asked. */
  get testingDevices(): boolean {
    return this.devices.value?.some((device) => device.status === 'testing') ?? false;
  }

  /** Reads everything once and listens until the returned function is called. */
  start(): () => void {
    const stops = [
      listen('run', (run) => {
        runs.receive(run);
        this.savedAt = new Date().toISOString();
      }),
      listen('metrics', (data) => runs.receiveMetrics(data)),
      listen('study', (study) => studies.receive(study)),
      listen('job', (job) => jobs.receive(job)),
      listen('changed', ({ kind }) => void this.reread(kind)),
      listen('update', (update) => (this.update.value = update)),
      listen('followed', ({ route }) => router.go(route)),
    ];
    const timer = setInterval(() => void this.info.read(() => call('app.info', {})), 30_000);
    void this.readAll();
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
    };
  }

  async readAll(): Promise<void> {
    await Promise.all([
      this.settings.read(() => call('settings.get', {})),
      this.info.read(() => call('app.info', {})),
      this.devices.read(() => call('devices.list', {})),
      this.update.read(() => call('updates.get', {})),
      projects.refresh(),
      runs.refresh(),
      models.refresh(),
      methods.refresh(),
      jobs.refresh().catch(() => undefined), // a missing job list hides nothing: jobs report themselves
    ]);
  }

  async reread(kind: EventData<'changed'>['kind']): Promise<void> {
    this.savedAt = new Date().toISOString();
    switch (kind) {
      case 'projects':
        return projects.refresh();
      case 'models':
        return models.refresh();
      case 'datasets':
        await Promise.all([datasets.refresh(), projects.refresh()]);
        return;
      case 'runs':
        await Promise.all([runs.refresh(), projects.refresh()]);
        return;
      case 'studies':
        return studies.refresh();
      case 'devices':
        await this.devices.read(() => call('devices.list', {}));
        return;
      case 'settings':
        await this.settings.read(() => call('settings.get', {}));
        return;
      case 'exports':
        return; // the exports screen listens itself
    }
  }

  async set(change: Partial<Settings>): Promise<void> {
    this.settings.value = await call('settings.set', change);
  }

  /** Trains a step on each device and compares it with the CPU's. */
  async testDevices(): Promise<void> {
    await call('devices.test', {});
    await this.reread('devices');
  }
}

export const app = new AppState();
