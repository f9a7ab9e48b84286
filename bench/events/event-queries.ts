import { type GeneratedEvent } from '../event-generator.js';
import { RARE_PART } from './event-rows.js';

const DIFFERENT_PAGES = 4_096;
const PAGE_EVERY_MS = 10_000;

export interface EventQuestion {
  name: string;
  query: Record<string, string>;
  /** Ask for the page after the newest. */
  second_page?: boolean;
}

/** What people ask of a day of generated events. `sample` says which values of that day are frequent. */
export function eventQuestions(day: string, sample: GeneratedEvent[]): EventQuestion[] {
  return [
    { name: 'the newest page', query: {} },
    { name: 'the second page', query: {}, second_page: true },
    { name: 'component and environment', query: { component: 'telemetry', environment: 'production' } },
    { name: 'e-mail', query: { email: fairlyFrequent(sample.map(({ email }) => email)) } },
    { name: 'device', query: { device_id: fairlyFrequent(sample.map(({ device_id }) => device_id)) } },
    { name: 'a frequent part of a message', query: { message: 'FAULT 0x' } },
    { name: 'a rare part of a message', query: { message: RARE_PART } },
    { name: 'an hour', query: { from_date: `${day}T09:00:00Z`, to_date: `${day}T10:00:00Z` } },
  ];
}

/** Pages of which no two are the same: each begins at another moment of the day’s second half. */
export function differentPages(day: string): Record<string, string>[] {
  const noon = Date.parse(`${day}T12:00:00Z`);
  return Array.from({ length: DIFFERENT_PAGES }, (_, index) => ({
    to_date: new Date(noon + index * PAGE_EVERY_MS).toISOString(),
  }));
}

/** The fifth of the favourites: more than a page of it even in a small project, and far from everything. */
function fairlyFrequent(values: (string | undefined)[]): string {
  const counts = Map.groupBy(
    values.filter((value) => value !== undefined),
    (value) => value,
  );
  return [...counts].sort(([, a], [, b]) => b.length - a.length)[4]![0];
}
