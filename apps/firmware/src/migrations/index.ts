import { CreateFirmware1763700000000 } from './1763700000000-create-firmware.js';
import { FeedFirmwareEvents1763720000000 } from './1763720000000-feed-firmware-events.js';

/** Oldest first. */
export const MIGRATIONS = [CreateFirmware1763700000000, FeedFirmwareEvents1763720000000];
