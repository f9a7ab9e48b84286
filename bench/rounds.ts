import { type LoadResult } from './load.js';
import { spreadOf, type Spread } from './statistics.js';

/** Someone whose speed is measured. */
export interface Contender {
  name: string;
  turn(): Promise<LoadResult>;
  /** After a turn: leaves no work behind for the turns of the others. */
  settle?(): Promise<void>;
}

export interface Standing {
  name: string;
  rate: Spread;
  p50_ms: Spread;
  p99_ms: Spread;
  acknowledged: number;
  failed: number;
}

/** A B C, A B C, …: what the machine does meanwhile hits all of them alike. */
export async function alternate(contenders: Contender[], rounds: number): Promise<Standing[]> {
  const results = new Map<Contender, LoadResult[]>(contenders.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const result = await contender.turn();
      await contender.settle?.();
      results.get(contender)!.push(result);
      console.error(
        `  ${round}/${rounds} ${contender.name}: ${Math.round(result.rate)}/s, p50 ${result.p50_ms.toFixed(2)} ms, ` +
          `p99 ${result.p99_ms.toFixed(2)} ms${result.failed > 0 ? `, ${result.failed} failed` : ''}`,
      );
    }
  }
  return [...results].map(([{ name }, turns]) => ({
    name,
    rate: spreadOf(turns.map(({ rate }) => rate)),
    p50_ms: spreadOf(turns.map(({ p50_ms }) => p50_ms)),
    p99_ms: spreadOf(turns.map(({ p99_ms }) => p99_ms)),
    acknowledged: turns.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    failed: turns.reduce((sum, { failed }) => sum + failed, 0),
  }));
}

/** The standing of a contender by its name. */
export function standingOf(standings: Standing[], name: string): Standing {
  const standing = standings.find((one) => one.name === name);
  if (!standing) throw new Error(`No contender ${name}`);
  return standing;
}
