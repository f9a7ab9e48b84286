import { CreatePrices1763700000000 } from './1763700000000-create-prices.js';
import { NumberChanges1763720000000 } from './1763720000000-number-changes.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { NumberLeads1764200000000 } from './1764200000000-number-leads.js';
import { MoveChangesAside1764300000000 } from './1764300000000-move-changes-aside.js';

/** Oldest first. */
export const MIGRATIONS = [
  CreatePrices1763700000000,
  NumberChanges1763720000000,
  WallProjects1763900000000,
  NumberLeads1764200000000,
  MoveChangesAside1764300000000,
];
