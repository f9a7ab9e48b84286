import { Popularity, Random } from './random.js';

/** An event as a client sends it, with everything given that may be given but the device. */
export interface GeneratedEvent {
  id: string;
  component: string;
  environment: string;
  email: string;
  message: string;
  data: Record<string, unknown>;
  device_id?: string;
  occurred_at: string;
}

export interface DayOptions {
  seed: number;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  count: number;
}

const COMPONENTS = ['telemetry', 'heating', 'billing', 'access', 'firmware', 'routing', 'alarms', 'payments'];
const ENVIRONMENTS = ['production', 'staging', 'field-test', 'development'];
const KINDS = ['pump', 'valve', 'meter', 'gateway', 'sensor', 'charger', 'lock', 'boiler'];
const SITES = ['north', 'south', 'Zürich', 'harbour', 'line 3', 'roof', 'cellar', 'Łódź', 'depot', 'yard'];
const NAMES = ['ada', 'grace', 'linus', 'edsger', 'barbara', 'alan', 'margaret', 'dennis', 'frances', 'ken'];
const DOMAINS = ['example.com', 'example.org', 'fleet.example', 'ops.example', 'customer.example'];
const SUBJECTS = [
  ...['Battery', 'Supply voltage', 'Temperature', 'Pressure', 'Flow', 'Door', 'Firmware', 'Configuration'],
  ...['Invoice', 'Payment', 'Session', 'Certificate', 'Modem', 'Clock', 'Disk', 'Cache', 'Queue', 'Report'],
];
const OUTCOMES: ((random: Random) => string)[] = [
  (random) => `is at ${random.below(100)} %, "low" is below 15 %`,
  (random) => `changed from ${random.below(500)} to ${random.below(500)}`,
  (random) => `timed out after ${random.below(30_000)} ms`,
  (random) => `was accepted, number ${random.below(100_000)}`,
  (random) => `was refused: code E_${random.below(900) + 100}`,
  (random) => `reached its limit of ${random.below(1_000)}, ${random.below(50)} waiting`,
  (random) => `is back after ${random.below(600)} s`,
  (random) => `took ${random.below(4_000)} ms at step ${random.below(12)}`,
  (random) => `moved to version ${random.below(9)}.${random.below(20)}.${random.below(40)}`,
  (random) => `lost its connection; retry ${random.below(9) + 1} in ${2 ** random.below(7)} s`,
  (random) => `started by operator #${random.below(400)}`,
  (random) => `finished (${random.below(10_000)} rows, ${random.below(9)} skipped)`,
  (random) => `key max_rate_hz set to ${random.below(60)}`,
  (random) => `calibrated: offset −${random.below(90) / 10} °C`,
  (random) => `failed its check,\nsee log line ${random.below(90_000)}`,
  (random) => `reports fault 0x${random.below(65_536).toString(16)}`,
];

const MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/**
 * A day in the life of a fleet, oldest first: some components, devices and addresses speak far more often than
 * others, mornings and evenings are busy, and now and then something breaks and everybody talks at once. The
 * same options make the same events.
 */
export function* dayOfEvents({ seed, day, count }: DayOptions): Generator<GeneratedEvent> {
  const random = new Random(seed);
  const messages = new Popularity(shuffled(templates(), random));
  const components = new Popularity(COMPONENTS);
  const environments = new Popularity(ENVIRONMENTS);
  const addresses = new Popularity(shuffled(people(), random));
  const devices = new Popularity(shuffled(fleet(), random));
  const midnight = Date.parse(`${day}T00:00:00.000Z`);

  for (const [minute, events] of eventsEachMinute(count, random).entries()) {
    const offsets = Array.from({ length: events }, () => random.below(MINUTE_MS)).sort((a, b) => a - b);
    for (const offset of offsets) {
      const { subject, outcome } = messages.pick(random);
      const device_id = random.below(5) > 0 ? devices.pick(random) : undefined;
      yield {
        id: random.uuid(),
        component: components.pick(random),
        environment: environments.pick(random),
        email: addresses.pick(random),
        message: `${subject} ${outcome(random)}`,
        data: {
          attempt: random.below(4),
          duration_ms: random.below(5_000),
          tags: [subject, random.pick(SITES)],
        },
        ...(device_id !== undefined && { device_id }),
        occurred_at: new Date(midnight + minute * MINUTE_MS + offset).toISOString(),
      };
    }
  }
}

function templates(): { subject: string; outcome: (random: Random) => string }[] {
  return SUBJECTS.flatMap((subject) => OUTCOMES.map((outcome) => ({ subject, outcome })));
}

function people(): string[] {
  return DOMAINS.flatMap((domain) =>
    NAMES.flatMap((name) => Array.from({ length: 10 }, (_, number) => `${name}.${number}@${domain}`)),
  );
}

function fleet(): string[] {
  return KINDS.flatMap((kind) =>
    SITES.flatMap((site) => Array.from({ length: 25 }, (_, number) => `${kind} ${number}/${site}`)),
  );
}

/** How many of `count` events fall into each minute: a quiet night, two peaks, a few short bursts. */
function eventsEachMinute(count: number, random: Random): number[] {
  const peak = (minute: number, at: number, width: number): number =>
    Math.exp(-(((minute - at) / width) ** 2));
  const bursts = new Set(Array.from({ length: 8 }, () => random.below(MINUTES)));
  const weights = Array.from(
    { length: MINUTES },
    (_, minute) =>
      0.3 + peak(minute, 9.5 * 60, 120) + 0.7 * peak(minute, 19 * 60, 90) + (bursts.has(minute) ? 8 : 0),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let reached = 0;
  let given = 0;
  return weights.map((weight) => {
    reached += weight;
    const events = Math.round((count * reached) / total) - given;
    given += events;
    return events;
  });
}

function shuffled<T>(list: T[], random: Random): T[] {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
  return list;
}
