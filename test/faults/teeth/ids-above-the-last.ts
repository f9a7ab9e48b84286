import { type FeedPosition } from '#contracts';
import { Feed, type Statements } from '#database';

/** Broken on purpose: a feed is read by ids alone, so that a row which commits after a younger one is skipped. */
Feed.prototype.next = function (on: Statements, [, id]: FeedPosition, limit: number) {
  const { select, source } = this as unknown as { select: string; source: { table: string } };
  return on.firstRows(`${select} WHERE id > $1 ORDER BY id LIMIT $2`, [id, limit], `feed-${source.table}`);
};
