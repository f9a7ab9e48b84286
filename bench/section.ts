import { type Bar } from './bars.js';
import { type Bench } from './bench.js';
import { type Standing } from './rounds.js';

/** One question and its answer. */
export interface Section {
  title: string;
  /** How it was asked, for someone who doubts the answer. */
  method: string;
  standings: Standing[];
  bars: Bar[];
}

/** What one part of the product is asked; a suite adds its contenders and leaves the rest to `Bench`. */
export interface Suite {
  name: string;
  run(bench: Bench): Promise<Section[]>;
}
