import { Feed, type Statements } from '#database';

/** Broken on purpose: a stream without entries begins where its table ends. */
Feed.prototype.since = function (on: Statements) {
  return this.end(on);
};
