import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Lead } from '#database';
import { setTimeout } from 'node:timers/promises';
import { countToCut, cutFiles } from './archive-cut.js';
import { ArchiveDirectory, asideOf } from './archive-directory.js';
import { ArchiveRepository, type ArchivePosition } from './archive.repository.js';
import { PricingConfig } from './pricing.config.js';

const CHANGES_A_LOOK = 1_000;
/** A change is in its file a second after it was committed; looking and writing take the rest. */
const PATIENCE_MS = 800;
const LOOK_MS = 100;
const TRY_AGAIN_MS = 1_000;

/**
 * Puts every committed change into a file, once. One replica leads. It writes files aside, then says in one
 * statement that these changes are in these files, then renames. A new leader renames what was said and is still
 * aside, and throws away what was not said: wherever the old one died, no change is lost and none is twice.
 */
@Injectable()
export class Archiver implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Archiver.name);
  private readonly stopping = new AbortController();
  private running?: Promise<void>;

  constructor(private readonly config: PricingConfig) {}

  onApplicationBootstrap(): void {
    const { PRICING_ARCHIVE_DIR } = this.config;
    if (PRICING_ARCHIVE_DIR !== undefined) this.running = this.run(new ArchiveDirectory(PRICING_ARCHIVE_DIR));
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(directory: ArchiveDirectory): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const lead = await Lead.wait(this.config.DATABASE_URL, 'pricing archive', this.stopping.signal);
        if (lead) await this.write(new ArchiveRepository(lead), directory).finally(() => lead.giveUp());
      } catch (error) {
        this.logger.error(error);
      }
      await this.pause(TRY_AGAIN_MS);
    }
  }

  private async write(archive: ArchiveRepository, directory: ArchiveDirectory): Promise<void> {
    const lead = await archive.number();
    await directory.make();
    await directory.putInPlace(await archive.promised());
    await directory.clearAside(lead);
    let position = await archive.position();
    let waitingSince: number | undefined;
    while (!this.stopping.signal.aborted) {
      const changes = await archive.next(position, CHANGES_A_LOOK);
      const now = performance.now();
      waitingSince = changes.length === 0 ? undefined : (waitingSince ?? now);
      // With no room to wait in, there is nothing to wait for.
      const timeIsUp = changes.length === CHANGES_A_LOOK || now - (waitingSince ?? now) >= PATIENCE_MS;
      const cut = changes.slice(0, countToCut(changes, timeIsUp));
      const last = cut.at(-1);
      if (!last) {
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
      position = { ...last, files: position.files + files.length } satisfies ArchivePosition;
      // What stays behind has waited too, perhaps as long.
      if (cut.length === changes.length) waitingSince = undefined;
    }
  }

  private async pause(length_ms: number): Promise<void> {
    await setTimeout(length_ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
