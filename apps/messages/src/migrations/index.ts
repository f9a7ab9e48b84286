import { CreateMessages1763700000000 } from './1763700000000-create-messages.js';
import { FeedMessages1763720000000 } from './1763720000000-feed-messages.js';
import { IndexMessagesByDevice1763800000000 } from './1763800000000-index-messages-by-device.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { MoveMessagesAside1764300000000 } from './1764300000000-move-messages-aside.js';

/** Oldest first. */
export const MIGRATIONS = [
  CreateMessages1763700000000,
  FeedMessages1763720000000,
  IndexMessagesByDevice1763800000000,
  WallProjects1763900000000,
  MoveMessagesAside1764300000000,
];
