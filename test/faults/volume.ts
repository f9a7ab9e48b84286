import { execFile } from 'node:child_process';
import { mkdir, open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '#testing';

const run = promisify(execFile);

/** The rest is filled by writing, as files have needs beside their length. */
const FILLED_AT_ONCE = 0.98;

/** A file system of its own, in a file that is mounted: it can be full, and its power can be cut. Needs root. */
export class Volume {
  private constructor(
    readonly directory: string,
    private readonly image: string,
  ) {}

  /** @returns undefined, with the reason told, where file systems cannot be mounted */
  static async mount(
    parent: string,
    name: string,
    megabytes: number,
    tell: (reason: string) => void,
  ): Promise<Volume | undefined> {
    const volume = new Volume(join(parent, name), join(parent, `${name}.ext4`));
    try {
      await mkdir(volume.directory, { recursive: true });
      const file = await open(volume.image, 'w');
      await file.truncate(megabytes * 1024 * 1024);
      await file.close();
      // No room is kept for root: full is full for everybody.
      await run('mkfs.ext4', ['-q', '-m', '0', '-F', volume.image]);
      await volume.attach();
      return volume;
    } catch (error) {
      tell(error instanceof Error ? error.message.trim() : String(error));
      await rm(volume.image, { force: true });
      return undefined;
    }
  }

  /** Takes all the room that is left. @returns what gives it back */
  async fill(): Promise<() => Promise<void>> {
    const ballast = join(this.directory, 'ballast');
    const { bavail, bsize } = await statfs(this.directory);
    await run('fallocate', ['--length', String(Math.floor(bavail * FILLED_AT_ONCE) * bsize), ballast]);
    const file = await open(ballast, 'a');
    try {
      // A file system sets room aside for what is not on the disk yet, and has some of it again once that is there.
      while ((await writeAllThatFits(file)) > 0) await file.sync();
    } finally {
      await file.close();
    }
    return () => rm(ballast, { force: true });
  }

  /** What has reached the disk by now: what is left if the power goes. Nobody may be writing. */
  async snapshot(): Promise<void> {
    await run('cp', ['--sparse=always', this.image, this.copy]);
  }

  /** The volume as it was at the snapshot; all that was never synchronized is gone. Nobody may have it open. */
  async returnToSnapshot(): Promise<void> {
    await this.unmount();
    await rename(this.copy, this.image);
    await this.attach();
  }

  async unmount(): Promise<void> {
    // Whoever was killed a moment ago may still be letting go of its files.
    await eventually(() => run('umount', [this.directory]));
  }

  private get copy(): string {
    return `${this.image}.copy`;
  }

  private async attach(): Promise<void> {
    await run('mount', ['-o', 'loop', this.image, this.directory]);
  }
}

/** @returns how many bytes there was room for */
async function writeAllThatFits(file: FileHandle): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  let written = 0;
  try {
    for (;;) written += (await file.write(block)).bytesWritten;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return written;
  }
}
