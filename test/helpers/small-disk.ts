/** A real disk that is small enough to be filled: a tmpfs, which Linux lets root mount. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** Null where nothing can be mounted. `files` limits the number of files too, as the inodes of a disk do. */
  static mount(megabytes: number, files?: number): SmallDisk | null {
    const folder = mkdtempSync(join(tmpdir(), 'small-disk-'));
    const options = `size=${megabytes}m${files === undefined ? '' : `,nr_inodes=${files}`}`;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
      return new SmallDisk(folder);
    } catch {
      rmdirSync(folder);
      return null;
    }
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Fills the disk at once, so that nothing gets in between; `left` bytes stay free. */
  fill(left = 0): void {
    const file = openSync(join(this.folder, 'ballast'), 'w');
    try {
      for (const block of [Buffer.alloc(2 ** 20), Buffer.alloc(4096)])
        while (this.free - left >= block.length && taken(file, block));
    } finally {
      closeSync(file);
    }
  }

  /** Makes room again. */
  clear(): void {
    rmSync(join(this.folder, 'ballast'), { force: true });
  }

  /** From now on nothing can be written. */
  forbidWriting(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.folder], { stdio: 'ignore' });
  }

  /** Lets go of it at once: a process that is just ending may still have a file open. */
  unmount(): void {
    execFileSync('umount', ['-l', this.folder], { stdio: 'ignore' });
    rmdirSync(this.folder);
  }
}

/** Whether the block was written: somebody else may take what is left between the look and the write. */
function taken(file: number, block: Buffer): boolean {
  try {
    writeSync(file, block);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
