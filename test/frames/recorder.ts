/** Frames of a page while something is done to it: when each came, what scripts and layout took, and how long the main process stood still. */
import type { CDPSession } from '@playwright/test';
import { z } from 'zod';
import type { Studio } from '../e2e/harness.js';

export interface Recorded {
  /** Milliseconds between one frame and the next, in order. */
  readonly intervals: readonly number[];
  /** Milliseconds of scripts, and of styles and layout, in all frames together. */
  readonly script: number;
  readonly layout: number;
  /** The longest task of the page in milliseconds; 0 where none took more than 50. */
  readonly longestTask: number;
  /** The longest that the main process answered nobody, in milliseconds. */
  readonly mainBlocked: number;
}

const begin = `(() => {
  const record = { times: [], tasks: [], going: true };
  const frame = (time) => { if (record.going) { record.times.push(time); requestAnimationFrame(frame); } };
  requestAnimationFrame(frame);
  record.observer = new PerformanceObserver((list) => record.tasks.push(...list.getEntries().map(({ duration }) => duration)));
  record.observer.observe({ type: 'longtask' });
  window.frameRecord = record;
})()`;
const end = `(() => {
  const record = window.frameRecord;
  record.going = false;
  record.tasks.push(...record.observer.takeRecords().map(({ duration }) => duration));
  record.observer.disconnect();
  return { times: record.times, tasks: record.tasks };
})()`;
const endedSchema = z.object({ times: z.array(z.number()), tasks: z.array(z.number()) });

/** A clock in the main process that notices how late it is. */
const watchMain = (studio: Studio) =>
  studio.inMain(() => {
    const watched = globalThis as unknown as { lag?: { most: number; timer: NodeJS.Timeout } };
    clearInterval(watched.lag?.timer);
    let last = performance.now();
    const lag = {
      most: 0,
      timer: setInterval(() => {
        const now = performance.now();
        lag.most = Math.max(lag.most, now - last - 5);
        last = now;
      }, 5),
    };
    watched.lag = lag;
  });
const mainBlocked = (studio: Studio) =>
  studio.inMain(() => {
    const { lag } = globalThis as unknown as { lag?: { most: number; timer: NodeJS.Timeout } };
    clearInterval(lag?.timer);
    return lag?.most ?? 0;
  });

async function spent(page: CDPSession): Promise<{ script: number; layout: number }> {
  const { metrics } = await page.send('Performance.getMetrics');
  const of = (name: string) => 1000 * (metrics.find((metric) => metric.name === name)?.value ?? 0);
  return { script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration') };
}

export class Recorder {
  private constructor(
    private readonly studio: Studio,
    private readonly session: CDPSession,
  ) {}

  static async of(studio: Studio): Promise<Recorder> {
    const session = await studio.page.context().newCDPSession(studio.page);
    await session.send('Performance.enable');
    return new Recorder(studio, session);
  }

  async record(work: () => Promise<void>): Promise<Recorded> {
    await watchMain(this.studio);
    const before = await spent(this.session);
    await this.studio.page.evaluate(begin);
    await work();
    const { times, tasks } = endedSchema.parse(await this.studio.page.evaluate(end));
    const after = await spent(this.session);
    return {
      intervals: times.slice(1).map((time, i) => time - (times[i] ?? time)),
      script: after.script - before.script,
      layout: after.layout - before.layout,
      longestTask: Math.max(0, ...tasks),
      mainBlocked: await mainBlocked(this.studio),
    };
  }
}
