import { eventually } from '#testing';
import { type Fault, type Scene, type Struck } from './fault.js';
import { KINDS } from './write.js';
import { type Workload } from './workload.js';

const RECOVERY_MS = 30_000;
const CALM_MS = 250;

/** One fault after another while the workload runs; each is to be over before the next begins. */
export async function storm(faults: readonly Fault[], scene: Scene, workload: Workload): Promise<Struck[]> {
  const struck: Struck[] = [];
  for (const fault of faults) {
    const one = await strike(fault, scene, workload);
    struck.push(one);
    const recovered =
      one.recovered_ms === undefined ? 'did not recover' : `recovered in ${one.recovered_ms} ms`;
    scene.tell(
      `${struck.length}/${faults.length} ${fault.name}: ${recovered}, ${workload.acknowledged} acknowledged`,
    );
    await pause(CALM_MS);
  }
  return struck;
}

/** A fault from its beginning until nothing is left of it. */
export async function strike(fault: Fault, scene: Scene, workload: Workload): Promise<Struck> {
  const began_at = performance.now();
  const { end, prevents } = await fault.begin(scene);
  const held_at = performance.now();
  await pause(fault.hold_ms);
  const ending_at = performance.now();
  await end();
  const healed_at = performance.now();
  const recovered_ms = await recovery(scene, workload, healed_at);
  const { row, name, stillsGateway = false } = fault;
  return { row, name, began_at, held_at, ending_at, healed_at, recovered_ms, prevents, stillsGateway };
}

async function recovery(
  { rig, tell }: Scene,
  workload: Workload,
  since: number,
): Promise<number | undefined> {
  try {
    await rig.ready();
    await eventually(
      () => {
        const missing = KINDS.filter((kind) => (workload.lastGood.get(kind) ?? 0) < since);
        if (missing.length > 0) throw new Error(`not acknowledged again: ${missing.join(', ')}`);
      },
      since + RECOVERY_MS - performance.now(),
    );
    return Math.round(performance.now() - since);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
