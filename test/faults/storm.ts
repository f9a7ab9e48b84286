import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '#testing';
import { type Fault, type Scene, type Struck } from './fault.js';
import { expectTold, feedEnds } from './feed-ends.js';
import { probeRevocation } from './revocation-probe.js';
import { KINDS } from './write.js';
import { type Workload } from './workload.js';

/** How late is too late is for the judge to say. */
const PATIENCE_MS = 120_000;
const CALM_MS = 250;
const PROBE_MS = 10_000;

type Recovery = Pick<Struck, 'recovered_ms' | 'caught_up_ms' | 'breaches'>;

/** One fault after another while the workload runs; each is to be over before the next begins. */
export async function storm(faults: readonly Fault[], scene: Scene, workload: Workload): Promise<Struck[]> {
  const struck: Struck[] = [];
  for (const fault of faults) {
    const one = await strike(fault, scene, workload);
    struck.push(one);
    const after = (ms: number | undefined): string => (ms === undefined ? 'never' : `after ${ms} ms`);
    scene.tell(
      `${struck.length}/${faults.length} ${fault.name}: recovered ${after(one.recovered_ms)}, ` +
        `feeds ${after(one.caught_up_ms)}, ${workload.acknowledged} acknowledged`,
    );
    await pause(CALM_MS);
  }
  return struck;
}

/** A fault from its beginning until nothing is left of it. */
export async function strike(fault: Fault, scene: Scene, workload: Workload): Promise<Struck> {
  const began_at = performance.now();
  const { end, prevents, during = () => pause(fault.hold_ms, []) } = await fault.begin(scene);
  const held_at = performance.now();
  const breaches = await during();
  const ending_at = performance.now();
  await end();
  const healed_at = performance.now();
  const recovered = await recovery(scene, workload, healed_at);
  const { row, name, stillsGateway = false, killsGateway = false, isHarmless = false } = fault;
  return {
    row,
    name,
    began_at,
    held_at,
    ending_at,
    healed_at,
    prevents,
    stillsGateway,
    killsGateway,
    isHarmless,
    ...recovered,
    breaches: [...breaches, ...recovered.breaches],
  };
}

/**
 * Until every process is ready, each kind of write is acknowledged again, and a right can be taken away again; and then
 * until what was committed when the fault was over has been told.
 */
async function recovery(scene: Scene, workload: Workload, since: number): Promise<Recovery> {
  const left_ms = (): number => since + PATIENCE_MS - performance.now();
  const elapsed_ms = (): number => Math.round(performance.now() - since);
  const found: Recovery = { breaches: [] };
  try {
    const ends = await eventually(() => feedEnds(scene.rig), left_ms());
    await scene.rig.ready();
    await eventually(() => {
      const missing = KINDS.filter((kind) => (workload.lastGood.get(kind) ?? 0) < since);
      if (missing.length > 0) throw new Error(`not acknowledged again: ${missing.join(', ')}`);
    }, left_ms());
    found.breaches = await eventually(() => withinPatience(probeRevocation(scene)), left_ms());
    found.recovered_ms = elapsed_ms();
    await eventually(() => expectTold(scene.rig, ends), left_ms());
    found.caught_up_ms = elapsed_ms();
  } catch (error) {
    scene.tell(error instanceof Error ? error.message : String(error));
  }
  return found;
}

/** A probe without an answer is a probe that failed. */
async function withinPatience<T>(probe: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const tooLong = pause(PROBE_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error('no answer to a change of rights');
  });
  try {
    return await Promise.race([probe, tooLong]);
  } finally {
    tooLong.catch(() => undefined);
    patience.abort();
  }
}
