import { CreateAuth1763700000000 } from './1763700000000-create-auth.js';

/** Oldest first. */
export const MIGRATIONS = [CreateAuth1763700000000];
