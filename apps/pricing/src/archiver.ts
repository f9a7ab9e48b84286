import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Leadership, type Lead } from '#database';
import { countToCut, cutFiles } from './archive-cut.js';
import { asideOf, type ArchiveDirectory } from './archive-directory.js';
import { ArchiveRepository, type ArchivePosition } from './archive.repository.js';

const CHANGES_A_LOOK = 1_000;
/** A change is in its file a second after it was committed; looking and writing take the rest. */
const PATIENCE_MS = 800;
const LOOK_MS = 100;
/** How often it asks, with no change to read, for one that an open transaction holds back. */
const LOOK_BEHIND_MS = 3_000;

/**
 * Puts every committed change into a file, once. One replica leads. It writes files aside, then says in one
 * statement that these changes are in these files, then renames. A new leader renames what was said and is still
 * aside, and throws away what was not said: wherever the old one died, no change is lost and none is twice.
 */
export class Archiver implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly leadership: Leadership;

  /** @param url of the database, for a connection of its own */
  constructor(
    url: string,
    private readonly directory: ArchiveDirectory,
  ) {
    const work = (lead: Lead): Promise<void> => this.write(new ArchiveRepository(lead));
    this.leadership = new Leadership(url, 'pricing archive', work, new Logger(Archiver.name));
  }

  onApplicationBootstrap(): void {
    this.leadership.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.leadership.stop();
  }

  /** The archive as a part of the app's health and metrics. */
  readonly part = {
    name: 'archive',
    essential: false,
    check: (): Promise<void> => this.leadership.check(),
    gauges: {
      archive_leads: {
        help: 'Whether this process writes the archive.',
        read: (): number => Number(this.leadership.isLeading),
      },
      archive_lag_s: {
        help: 'Age of the oldest change that is committed and in no file yet.',
        read: (): number => this.leadership.lag_s,
      },
    },
  };

  private async write(archive: ArchiveRepository): Promise<void> {
    const { directory, leadership } = this;
    const lead = await archive.number();
    await directory.make();
    await directory.putInPlace(await archive.promised());
    await directory.clearAside(lead);
    let position = await archive.position();
    let waitingSince: number | undefined;
    let looked_behind_at = performance.now();
    leadership.begun();
    while (!leadership.isStopping) {
      const changes = await archive.next(position, CHANGES_A_LOOK);
      const now = performance.now();
      if (changes[0]) leadership.waiting_since = Date.parse(changes[0].timestamp);
      else if (now - looked_behind_at >= LOOK_BEHIND_MS) {
        leadership.waiting_since = await archive.waitingSince(position);
        looked_behind_at = now;
      }
      waitingSince = changes.length === 0 ? undefined : (waitingSince ?? now);
      // With no room to wait in, there is nothing to wait for.
      const timeIsUp = changes.length === CHANGES_A_LOOK || now - (waitingSince ?? now) >= PATIENCE_MS;
      const cut = changes.slice(0, countToCut(changes, timeIsUp));
      const last = cut.at(-1);
      if (!last) {
        if (changes.length === 0) leadership.well();
        await leadership.pause(LOOK_MS);
        continue;
      }
      const files = cutFiles(cut, position.files).map((file) => ({
        ...file,
        aside: asideOf(file.name, lead),
      }));
      await directory.writeAside(files);
      await archive.promise(last, files);
      await directory.putInPlace(files);
      leadership.well();
      position = { ...last, files: position.files + files.length } satisfies ArchivePosition;
      // What stays behind has waited too, perhaps as long.
      if (cut.length === changes.length) waitingSince = leadership.waiting_since = undefined;
    }
  }
}
