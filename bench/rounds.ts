import { type Bench } from './bench.js';
import { sumOf, usedBetween, type CpuTimes } from './cpu.js';
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
  /** For each answer of 2xx, over all turns; empty where it is not known. */
  cpu_us: CpuTimes;
}

/**
 * A B C, A B C, …: what the machine does meanwhile hits all of them alike. A turn lasts until everybody is at rest: a
 * feed that comes later than the answers is part of the turn, too.
 */
export async function alternate(
  bench: Bench,
  contenders: Contender[],
  rounds = bench.options.rounds,
): Promise<Standing[]> {
  const results = new Map<Contender, (LoadResult & { cpu: CpuTimes })[]>(
    contenders.map((contender) => [contender, []]),
  );
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const before = await bench.cpuTimes();
      const result = await contender.turn();
      await bench.rest();
      const cpu = usedBetween(before, await bench.cpuTimes());
      await contender.settle?.();
      results.get(contender)!.push({ ...result, cpu });
      console.error(
        `  ${round}/${rounds} ${contender.name}: ${Math.round(result.rate)}/s, p50 ${result.p50_ms.toFixed(2)} ms, ` +
          `p99 ${result.p99_ms.toFixed(2)} ms${result.failed > 0 ? `, ${result.failed} failed` : ''}`,
      );
    }
  }
  return [...results].map(([{ name }, turns]) => {
    const acknowledged = turns.reduce((sum, turn) => sum + turn.acknowledged, 0);
    const cpu = sumOf(turns.map((turn) => turn.cpu));
    return {
      name,
      rate: spreadOf(turns.map(({ rate }) => rate)),
      p50_ms: spreadOf(turns.map(({ p50_ms }) => p50_ms)),
      p99_ms: spreadOf(turns.map(({ p99_ms }) => p99_ms)),
      acknowledged,
      failed: turns.reduce((sum, { failed }) => sum + failed, 0),
      cpu_us: new Map([...cpu].map(([process, time]) => [process, time / acknowledged])),
    };
  });
}

/** The standing of a contender by its name. */
export function standingOf(standings: Standing[], name: string): Standing {
  const standing = standings.find((one) => one.name === name);
  if (!standing) throw new Error(`No contender ${name}`);
  return standing;
}
