import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Lead } from '#database';
import { setTimeout } from 'node:timers/promises';
import { countToCut, cutFiles } from './archive-cut.js';
import { asideOf, type ArchiveDirectory } from './archive-directory.js';
import { ArchiveRepository, type ArchivePosition } from './archive.repository.js';

const CHANGES_A_LOOK = 1_000;
/** A change is in its file a second after it was committed; looking and writing take the rest. */
const PATIENCE_MS = 800;
const LOOK_MS = 100;
/** How often it asks, with no change to read, for one that an open transaction holds back. */
const LOOK_BEHIND_MS = 3_000;
const TRY_AGAIN_MS = 1_000;

/**
 * Puts every committed change into a file, once. One replica leads. It writes files aside, then says in one
 * statement that these changes are in these files, then renames. A new leader renames what was said and is still
 * aside, and throws away what was not said: wherever the old one died, no change is lost and none is twice.
 */
export class Archiver implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Archiver.name);
  private readonly stopping = new AbortController();
  private running?: Promise<void>;
  private problem?: string;
  /** What the log tells of already. */
  private told?: string;
  private isLeading = false;
  /** Of the oldest change that is in no file yet, its time in ms. */
  private behind_since?: number;

  /** @param url of the database, for a connection of its own */
  constructor(
    private readonly url: string,
    private readonly directory: ArchiveDirectory,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** The archive as a part of the app's health and metrics. */
  readonly part = {
    name: 'archive',
    essential: false,
    check: (): Promise<void> =>
      this.problem === undefined ? Promise.resolve() : Promise.reject(new Error(this.problem)),
    gauges: {
      archive_leads: {
        help: 'Whether this process writes the archive.',
        read: (): number => Number(this.isLeading),
      },
      archive_lag_s: {
        help: 'Age of the oldest change that is committed and in no file yet.',
        read: (): number => (this.behind_since === undefined ? 0 : (Date.now() - this.behind_since) / 1_000),
      },
    },
  };

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const lead = await Lead.wait(this.url, 'pricing archive', this.stopping.signal, () => {
          // The archive is somebody else's now, and what kept it from this one says nothing any more.
          this.problem = undefined;
          this.behind_since = undefined;
        });
        if (lead) await this.write(new ArchiveRepository(lead)).finally(() => lead.giveUp());
      } catch (error) {
        this.report(error);
        await this.pause(TRY_AGAIN_MS);
      } finally {
        this.isLeading = false;
      }
    }
  }

  private async write(archive: ArchiveRepository): Promise<void> {
    const { directory } = this;
    const lead = await archive.number();
    await directory.make();
    await directory.putInPlace(await archive.promised());
    await directory.clearAside(lead);
    let position = await archive.position();
    let waitingSince: number | undefined;
    let looked_behind_at = performance.now();
    this.isLeading = true;
    this.behind_since = undefined;
    while (!this.stopping.signal.aborted) {
      const changes = await archive.next(position, CHANGES_A_LOOK);
      const now = performance.now();
      if (changes[0]) this.behind_since = Date.parse(changes[0].timestamp);
      else if (now - looked_behind_at >= LOOK_BEHIND_MS) {
        this.behind_since = await archive.waitingSince(position);
        looked_behind_at = now;
      }
      waitingSince = changes.length === 0 ? undefined : (waitingSince ?? now);
      // With no room to wait in, there is nothing to wait for.
      const timeIsUp = changes.length === CHANGES_A_LOOK || now - (waitingSince ?? now) >= PATIENCE_MS;
      const cut = changes.slice(0, countToCut(changes, timeIsUp));
      const last = cut.at(-1);
      if (!last) {
        if (changes.length === 0) this.problem = this.told = undefined;
        await this.pause(LOOK_MS);
        continue;
      }
      const files = cutFiles(cut, position.files).map((file) => ({
        ...file,
        aside: asideOf(file.name, lead),
      }));
      await directory.writeAside(files);
      await archive.promise(last, files);
      await directory.putInPlace(files);
      this.problem = this.told = undefined;
      position = { ...last, files: position.files + files.length } satisfies ArchivePosition;
      // What stays behind has waited too, perhaps as long.
      if (cut.length === changes.length) waitingSince = this.behind_since = undefined;
    }
  }

  private async pause(length_ms: number): Promise<void> {
    await setTimeout(length_ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** Once for each problem, however long it lasts, and whoever else tries meanwhile. */
  private report(error: unknown): void {
    // Each try is of another file.
    const { code, syscall } = error as NodeJS.ErrnoException;
    const problem = syscall === undefined ? String(error) : `${syscall}: ${code!}`;
    if (problem !== this.told) this.logger.error(error);
    this.problem = this.told = problem;
  }
}
