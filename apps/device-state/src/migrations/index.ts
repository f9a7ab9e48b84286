import { CreateDeviceState1763710000000 } from './1763710000000-create-device-state.js';

/** Oldest first. */
export const MIGRATIONS = [CreateDeviceState1763710000000];
