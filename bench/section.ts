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
  /** How many there are, when the same is asked with more and more of them. */
  rows?: number;
}

/** What one part of the product is asked; a suite adds its contenders and leaves the rest to `Bench`. */
export interface Suite {
  name: string;
  /** Each section as soon as it is measured: what comes to an end later takes nothing back. */
  run(bench: Bench): AsyncGenerator<Section>;
}
