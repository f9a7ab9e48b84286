import { CreateFirmware1763700000000 } from './1763700000000-create-firmware.js';

/** Oldest first. */
export const MIGRATIONS = [CreateFirmware1763700000000];
