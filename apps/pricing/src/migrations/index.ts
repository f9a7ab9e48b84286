import { CreatePrices1763700000000 } from './1763700000000-create-prices.js';

/** Oldest first. */
export const MIGRATIONS = [CreatePrices1763700000000];
