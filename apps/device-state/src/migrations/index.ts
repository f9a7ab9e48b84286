import { CreateDeviceState1763710000000 } from './1763710000000-create-device-state.js';
import { FeedHistory1763720000000 } from './1763720000000-feed-history.js';
import { IndexHistoryByTime1763800000000 } from './1763800000000-index-history-by-time.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { DropPastHistory1764100000000 } from './1764100000000-drop-past-history.js';
import { MoveHistoryAside1764300000000 } from './1764300000000-move-history-aside.js';

/** Oldest first. */
export const MIGRATIONS = [
  CreateDeviceState1763710000000,
  FeedHistory1763720000000,
  IndexHistoryByTime1763800000000,
  WallProjects1763900000000,
  DropPastHistory1764100000000,
  MoveHistoryAside1764300000000,
];
