import { type Random } from '../../bench/random.js';
import { type AppName } from '../../start/app-schema.js';
import { FEED_KINDS } from '#contracts';
import { type Fault } from './fault.js';
import { cutOffGateway } from './faults/cut-off-gateway.js';
import { forgottenConsumer, lostAcks, lostAcksAndKill, poison, strayMessage } from './faults/deliveries.js';
import { HOT_KINDS, hotRow } from './faults/hot-row.js';
import { fullJetStream, wipedJetStream } from './faults/jetstream.js';
import { killAll, killApp, killNats, killPostmaster } from './faults/kill.js';
import { LINK_FAULTS, linkFault, type LinkFaultName } from './faults/links.js';
import { OUTLASTING_MS, pauseApp, pauseServer } from './faults/pause.js';
import { powerCut } from './faults/power-cut.js';
import { rollingRestart } from './faults/rolling-restart.js';
import { slowPostgres } from './faults/slow-postgres.js';
import { volumeFull } from './faults/volume-full.js';
import { APPS } from './rig.js';

export type Tier = 'quick' | 'full';

/** How often each kind of fault strikes, by tier, and for how long at most one holds, but for one long pause. */
interface Plan {
  gateway_kills: number;
  kills_per_service: number;
  nats_kills: number;
  postmaster_kills: number;
  kills_of_all: number;
  pauses: number;
  longest_pause_ms: number;
  link_faults: number;
  longest_link_fault_ms: number;
  cut_off_gateways: number;
  slow_databases: number;
  hot_rows: number;
  volumes_full: number;
  stores_full: number;
  stores_wiped: number;
  deliveries: number;
  power_cuts: number;
  rolling_restarts: number;
  overloads: number;
}

const PLANS: Record<Tier, Plan> = {
  quick: {
    gateway_kills: 6,
    kills_per_service: 2,
    nats_kills: 5,
    postmaster_kills: 3,
    kills_of_all: 2,
    pauses: 3,
    longest_pause_ms: 8_000,
    link_faults: 8,
    longest_link_fault_ms: 7_000,
    cut_off_gateways: 1,
    slow_databases: 2,
    hot_rows: 2,
    volumes_full: 1,
    stores_full: 1,
    stores_wiped: 1,
    deliveries: 10,
    power_cuts: 1,
    rolling_restarts: 2,
    overloads: 1,
  },
  full: {
    gateway_kills: 60,
    kills_per_service: 40,
    nats_kills: 60,
    postmaster_kills: 40,
    kills_of_all: 20,
    pauses: 60,
    longest_pause_ms: 45_000,
    link_faults: 100,
    longest_link_fault_ms: 15_000,
    cut_off_gateways: 5,
    slow_databases: 15,
    hot_rows: 15,
    volumes_full: 10,
    stores_full: 10,
    stores_wiped: 5,
    deliveries: 100,
    power_cuts: 20,
    rolling_restarts: 20,
    overloads: 3,
  },
};

const SERVICES = APPS.filter((app) => app !== 'gateway');
const DELIVERY_FAULTS = 5;
const LINK_FAULT_NAMES = Object.keys(LINK_FAULTS) as LinkFaultName[];

/** Faults that strike one system, one after another, and how often it is overloaded when they are over. */
export interface Part {
  name: string;
  faults: readonly Fault[];
  overloads: number;
}

/**
 * The faults of a tier, in the order that the seed gives them. The quick tier is one part; the full one is cut where
 * half an hour is over, each part with a system of its own. Restarts in turns come last: nothing else may go on
 * beside them.
 */
export function schedule(tier: Tier, random: Random): Part[] {
  const plan = PLANS[tier];
  const away = (): number => between(random, 100, 1_500);
  const held = (longest_ms: number): number => between(random, 1_000, longest_ms);
  const faults = {
    'kill-apps': [
      ...times(plan.gateway_kills, () => killApp('gateway')),
      ...SERVICES.flatMap((app) => times(plan.kills_per_service, () => killApp(app))),
    ],
    'kill-servers': [
      ...times(plan.nats_kills, () => killNats(away())),
      ...times(plan.postmaster_kills, () => killPostmaster(away())),
      ...times(plan.kills_of_all, () => killAll(away())),
    ],
    pauses: [
      ...times(plan.pauses - 1, (index) => pause(index, random, held(plan.longest_pause_ms))),
      pauseApp(random.pick(SERVICES), OUTLASTING_MS),
    ],
    links: [
      ...times(plan.link_faults, (index) => cable(index, random, held(plan.longest_link_fault_ms))),
      ...times(plan.cut_off_gateways, cutOffGateway),
    ],
    disks: [
      ...times(plan.slow_databases, () => slowPostgres(held(6_000))),
      ...times(plan.hot_rows, (index) =>
        hotRow(HOT_KINDS[index % HOT_KINDS.length]!, between(random, 2_500, 6_000)),
      ),
      ...times(plan.volumes_full, () => volumeFull(between(random, 3_000, 6_000))),
      ...times(plan.power_cuts, () => powerCut(away())),
    ],
    feeds: [
      ...times(plan.deliveries, (index) => delivery(index, random)),
      ...times(plan.stores_full, () => fullJetStream(between(random, 3_000, 6_000))),
      ...times(plan.stores_wiped, () => wipedJetStream(away())),
    ],
  };
  const restarts = times(plan.rolling_restarts, rollingRestart);
  const { overloads } = plan;
  if (tier === 'quick') {
    return [
      {
        name: 'all',
        faults: [...shuffled(Object.values(faults).flat(), random), ...restarts],
        overloads,
      },
    ];
  }
  const parts = Object.entries(faults).map(([name, some]) => ({
    name,
    faults: shuffled(some, random),
    overloads: 0,
  }));
  return [
    ...parts,
    { name: 'restarts', faults: restarts, overloads: 0 },
    { name: 'overloads', faults: [], overloads },
  ];
}

/** An app, Postgres and NATS in turn. */
function pause(index: number, random: Random, hold_ms: number): Fault {
  if (index % 3 === 0) return pauseServer('postgres', hold_ms);
  if (index % 3 === 1) return pauseApp(random.pick(APPS), hold_ms);
  return random.below(3) === 0 ? pauseServer('nats', hold_ms) : pauseApp(random.pick(SERVICES), hold_ms);
}

/** Each kind of fault in turn, on each kind of cable in turn. */
function cable(index: number, random: Random, hold_ms: number): Fault {
  const name = LINK_FAULT_NAMES[index % LINK_FAULT_NAMES.length]!;
  const ends: [AppName, 'postgres' | 'nats'][] = [
    [random.pick(SERVICES), 'postgres'],
    ['gateway', 'nats'],
    [random.pick(SERVICES), 'nats'],
    ['gateway', 'postgres'],
  ];
  // Rounds of six kinds over four cables: shifted by one each round, so that all pairs come.
  const [app, server] = ends[(index + Math.floor(index / LINK_FAULT_NAMES.length)) % ends.length]!;
  return linkFault(app, server, name, hold_ms);
}

/** Each way in which entries come again, or come to no good, in turn. */
function delivery(index: number, random: Random): Fault {
  const round = Math.floor(index / DELIVERY_FAULTS);
  const ways = [
    // Longer than what is not acknowledged is waited for.
    () => lostAcks(between(random, 5_500, 7_500)),
    () => lostAcksAndKill(between(random, 500, 2_000)),
    () => forgottenConsumer(),
    () => poison(between(random, 500, 1_500)),
    () => strayMessage(FEED_KINDS.at(-1 - (round % FEED_KINDS.length))!),
  ];
  return ways[index % DELIVERY_FAULTS]!();
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function between(random: Random, least: number, most: number): number {
  return least + random.below(most - least);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const left = [...list];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return order;
}
