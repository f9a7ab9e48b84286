import { CreateEvents1763700000000 } from './1763700000000-create-events.js';

/** Oldest first. */
export const MIGRATIONS = [CreateEvents1763700000000];
