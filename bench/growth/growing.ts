import { type Bench } from '../bench.js';
import { type LoadRequest } from '../load.js';

/** A request whose cost is looked at while tables grow. */
export interface GrowthQuestion {
  name: string;
  requests: LoadRequest[];
  /** The table that each of them adds a row to. */
  adds_to?: string;
}

/** What is asked of a service while its tables grow. */
export interface Growing {
  service: string;
  /** Adds a project of so many rows to tables, and says what is asked then. */
  grow(bench: Bench, rows: number): Promise<GrowthQuestion[]>;
}
