import { CreateDeviceState1763710000000 } from './1763710000000-create-device-state.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';

/** Oldest first. */
export const MIGRATIONS = [CreateDeviceState1763710000000, WallProjects1763900000000];
