import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that is written aside, under a name that nobody else writes, until it is renamed. */
export interface PromisedFile {
  name: string;
  aside: string;
}

const ASIDE = /^\.\d{12}-[\da-f-]{36}\.json\.[\da-f-]{36}\.partial$/;

/** The directory of the archive. Whatever it says has happened survives a power cut. */
export class ArchiveDirectory {
  constructor(private readonly path: string) {}

  async make(): Promise<void> {
    await mkdir(this.path, { recursive: true });
  }

  async writeAside(files: { aside: string; content: string }[]): Promise<void> {
    await Promise.all(
      files.map(async ({ aside, content }) => {
        const file = await open(join(this.path, aside), 'wx', 0o640);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
      }),
    );
    await this.sync();
  }

  /** What is no longer aside is in its place already, or was and has been taken away. */
  async putInPlace(files: PromisedFile[]): Promise<void> {
    for (const { name, aside } of files) {
      await rename(join(this.path, aside), join(this.path, name)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    }
    if (files.length > 0) await this.sync();
  }

  /** Throws away what was written aside and never promised. */
  async clearAside(): Promise<void> {
    const names = await readdir(this.path);
    await Promise.all(names.filter((name) => ASIDE.test(name)).map((name) => rm(join(this.path, name))));
  }

  /** Names are kept by the directory, which is synchronized apart from its files. */
  private async sync(): Promise<void> {
    const directory = await open(this.path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
