import { CreateEvents1763700000000 } from './1763700000000-create-events.js';
import { FeedEvents1763720000000 } from './1763720000000-feed-events.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { Inbox1764000000000 } from './1764000000000-inbox.js';
import { DropPastEvents1764100000000 } from './1764100000000-drop-past-events.js';
import { MoveEventsAside1764300000000 } from './1764300000000-move-events-aside.js';

/** Oldest first. */
export const MIGRATIONS = [
  ...[CreateEvents1763700000000, FeedEvents1763720000000],
  ...[WallProjects1763900000000, Inbox1764000000000, DropPastEvents1764100000000],
  MoveEventsAside1764300000000,
];
