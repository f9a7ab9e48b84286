import { CreateMessages1763700000000 } from './1763700000000-create-messages.js';

/** Oldest first. */
export const MIGRATIONS = [CreateMessages1763700000000];
