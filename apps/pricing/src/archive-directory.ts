import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that is written aside, under a name that nobody else writes, until it is renamed. */
export interface PromisedFile {
  name: string;
  /** From the directory of the archive on. */
  aside: string;
}

/** In the archive, so that a rename is one step; apart, so that what is in its place is never listed, however much it is. */
const ASIDE = '.aside';

/** Where the lead of this number writes a file aside. */
export function asideOf(name: string, lead: number): string {
  return `${ASIDE}/${lead}-${name}.partial`;
}

/** The directory of the archive. Whatever it says has happened survives a power cut. */
export class ArchiveDirectory {
  constructor(private readonly path: string) {}

  async make(): Promise<void> {
    await mkdir(join(this.path, ASIDE), { recursive: true });
    await this.sync();
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
    await this.sync(ASIDE);
  }

  /**
   * What is no longer aside is in its place already, or was and has been taken away.
   * @throws when a file of that name with other content is in its place, which stays as it is
   */
  async putInPlace(files: PromisedFile[]): Promise<void> {
    for (const { name, aside } of files) {
      const written = await this.contentOf(aside);
      if (!written) continue;
      // Not left to a link, which never replaces: killed behind it, what was taken away meanwhile would be put back.
      const there = await this.contentOf(name);
      if (there && !there.equals(written))
        throw new Error(`The archive has another file ${name} already: was a copy of the database restored?`);
      await rename(join(this.path, aside), join(this.path, name)).catch(unlessMissing);
    }
    if (files.length === 0) return;
    await this.sync();
    await this.sync(ASIDE);
  }

  /**
   * Throws away what leads before the one of this number wrote aside and never promised. What a later one has written
   * stays: whoever asks may have lost the lead without knowing.
   */
  async clearAside(lead: number): Promise<void> {
    const names = await readdir(join(this.path, ASIDE));
    const earlier = names.filter((name) => Number.parseInt(name, 10) < lead);
    await Promise.all(earlier.map((name) => rm(join(this.path, ASIDE, name), { force: true })));
  }

  private contentOf(name: string): Promise<Buffer | undefined> {
    return readFile(join(this.path, name)).catch(unlessMissing);
  }

  /** Names are kept by their directory, which is synchronized apart from its files. */
  private async sync(name = ''): Promise<void> {
    const directory = await open(join(this.path, name), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
