import { FEED_START, isBehind, type FeedPosition } from '#contracts';
import { placesOf } from '../../../apps/gateway/src/stream/stream-id.js';
import { type Committed } from '../feed-record.js';
import { type Evidence } from './evidence.js';

/** Something that is told of what is committed: what it should have told, in which order, and what it has told. */
interface Telling {
  name: string;
  due: readonly Committed[];
  /** Ids. */
  told: readonly string[];
}

/** C2: whatever is committed is in its feed, in the stream of its project, and has had its effect. */
export function untold(evidence: Evidence): string[] {
  return tellings(evidence).flatMap(({ name, due, told }) => {
    const known = new Set(told);
    return due.filter(({ id }) => !known.has(id)).map(({ id }) => `${name} lacks ${id}`);
  });
}

/** C2: once. */
export function toldAgain(evidence: Evidence): string[] {
  return tellings(evidence).flatMap(({ name, told }) => {
    const known = new Set<string>();
    return told.flatMap((id) => {
      if (known.has(id)) return [`${name} has ${id} again`];
      known.add(id);
      return [];
    });
  });
}

/** C2: nothing else is told. */
export function madeUp(evidence: Evidence): string[] {
  return tellings(evidence).flatMap(({ name, due, told }) => {
    const known = new Set(due.map(({ id }) => id));
    return told.filter((id) => !known.has(id)).map((id) => `${name} has ${id}, which is not committed`);
  });
}

/** C3: in the order of its feed, along which the versions of a device, or of a product, only rise. */
export function toldOutOfOrder(evidence: Evidence): string[] {
  return [
    ...carriers(evidence).flatMap(({ name, due, told }) => {
      const places = new Map(due.map(({ id }, place) => [id, place]));
      return descents(
        told.flatMap((id) => places.get(id) ?? []),
        (place, before) => `${name} has ${due[place]!.id} behind ${due[before]!.id}`,
      );
    }),
    ...evidence.feeds.flatMap(({ kind, rows }) =>
      [...Map.groupBy(rows, ({ project_id, subject }) => `${subject} of ${project_id}`)].flatMap(
        ([subject, some]) =>
          descents(
            some.flatMap(({ version }) => version ?? []),
            (version, before) => `the table of ${kind} has ${version} of ${subject} behind ${before}`,
          ),
      ),
    ),
  ];
}

/** C7: a stream that cannot be opened or go on says 503. */
export function brokenOff({ history }: Evidence): string[] {
  return history.streams.flatMap(({ project_id, refusals }) =>
    refusals
      .filter(({ status }) => status !== 503)
      .map(({ status, body }) => `the stream of ${project_id}: ${status} ${body}`),
  );
}

function tellings(evidence: Evidence): Telling[] {
  return [...carriers(evidence), ...effects(evidence)];
}

/** Feeds, and the streams that are made of them. */
function carriers({ feeds, history }: Evidence): Telling[] {
  return [
    ...feeds.map(({ kind, rows, published }) => ({
      name: `the feed of ${kind}`,
      due: rows,
      told: published,
    })),
    ...history.streams.flatMap(({ project_id, begun_at, entries }) => {
      const places: Record<string, FeedPosition | undefined> = placesOf(begun_at!);
      return feeds
        .filter(({ kind }) => kind !== 'audit')
        .map(({ kind, rows }) => ({
          name: `the stream of ${kind} of ${project_id}`,
          due: rows.filter(
            (row) => row.project_id === project_id && isBehind(row.position, places[kind] ?? FEED_START),
          ),
          told: entries.filter((entry) => entry.kind === kind).map(({ id }) => id),
        }));
    }),
  ];
}

/** What the consumer of the audit has made of it. An entry may be set aside again, when it has come again. */
function effects({ feeds, audit: { inbox, events, dead_letters, poison } }: Evidence): Telling[] {
  const { rows } = feeds.find(({ kind }) => kind === 'audit')!;
  const isPoison = new Set(poison);
  const good = rows.filter(({ id }) => !isPoison.has(id));
  return [
    { name: 'the inbox of the audit', due: good, told: inbox },
    { name: 'the events of the audit', due: good, told: events },
    {
      name: 'the dead letters of the audit',
      due: rows.filter(({ id }) => isPoison.has(id)),
      told: [...new Set(dead_letters)],
    },
  ];
}

/** Where a list of numbers goes back. */
function descents(
  numbers: readonly number[],
  sentence: (number: number, before: number) => string,
): string[] {
  return numbers.flatMap((number, index) => {
    const before = numbers[index - 1];
    return before !== undefined && number < before ? [sentence(number, before)] : [];
  });
}
