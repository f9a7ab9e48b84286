import { CreateFirmware1763700000000 } from './1763700000000-create-firmware.js';
import { FeedFirmwareEvents1763720000000 } from './1763720000000-feed-firmware-events.js';
import { IndexFirmwareEventsByTime1763800000000 } from './1763800000000-index-firmware-events-by-time.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { MoveFirmwareEventsAside1764300000000 } from './1764300000000-move-firmware-events-aside.js';

/** Oldest first. */
export const MIGRATIONS = [
  CreateFirmware1763700000000,
  FeedFirmwareEvents1763720000000,
  IndexFirmwareEventsByTime1763800000000,
  WallProjects1763900000000,
  MoveFirmwareEventsAside1764300000000,
];
