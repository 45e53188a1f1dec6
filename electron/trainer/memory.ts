/** Memory of this process and of the machine, in bytes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** Memory the process holds now. */
export const residentBytes = () => process.memoryUsage.rss();

/**
 * The most this process ever held. Linux's `ru_maxrss` (behind `process.resourceUsage`) is carried over from the
 * parent through fork and exec, so a small trainer of a large app would report the app's size; VmHWM is its own.
 */
export function peakBytes(): number {
  if (process.platform === 'linux') {
    const own = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (own !== undefined) return Number(own) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Lets `peakBytes` begin anew from what the process holds now, where the system can (Linux); elsewhere an earlier peak stands. */
export function forgetPeak(): void {
  try {
    if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not allowed here: the earlier peak stands, which is an upper bound too.
  }
}

/** What could still be taken: the machine's free memory, or a container's limit where that is lower. */
export function availableBytes(): number {
  const limit = process.constrainedMemory();
  const left = limit > 0 && limit < Number.MAX_SAFE_INTEGER ? limit - residentBytes() : Infinity;
  return Math.max(0, Math.min(freemem(), left));
}
