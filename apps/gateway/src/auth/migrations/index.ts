import { CreateAuth1763700000000 } from './1763700000000-create-auth.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';

/** Oldest first. */
export const MIGRATIONS = [CreateAuth1763700000000, WallProjects1763900000000];
