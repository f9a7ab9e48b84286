import { type GeneratedEvent } from './event-generator.js';

export interface DayFilter {
  component?: string;
  environment?: string;
  email?: string;
  device_id?: string;
  message?: string;
  from_date?: string;
  to_date?: string;
}

/** What the system should answer: the same events, filtered here. Newest first. */
export function expected(events: GeneratedEvent[], filter: DayFilter): GeneratedEvent[] {
  const { message, from_date, to_date, ...equal } = filter;
  const part = message?.toLowerCase();
  const from = from_date === undefined ? -Infinity : Date.parse(from_date);
  const to = to_date === undefined ? Infinity : Date.parse(to_date);
  return events
    .filter(
      (event) =>
        Object.entries(equal).every(([name, value]) => event[name as keyof GeneratedEvent] === value) &&
        (part === undefined || event.message.toLowerCase().includes(part)) &&
        Date.parse(event.occurred_at) >= from &&
        Date.parse(event.occurred_at) < to,
    )
    .sort((a, b) => (a.occurred_at + a.id < b.occurred_at + b.id ? 1 : -1));
}

/** Every filter alone, with frequent values and rare ones, and some together. */
export function questionsOf(events: GeneratedEvent[], day: string): DayFilter[] {
  const distinct = (name: 'component' | 'environment' | 'email' | 'device_id'): string[] => {
    const values = events.map((event) => event[name]).filter((value) => value !== undefined);
    return [...new Set(values)];
  };
  const some = (list: string[]): string[] => [...list.slice(0, 3), ...list.slice(-3)];
  const components = distinct('component');
  const environments = distinct('environment');
  const parts = [
    ...[
      'FAULT 0X',
      'max_rate',
      '100 %',
      '%',
      '_',
      '"low"',
      '−1',
      '°c',
      'E_4',
      '\nsee',
      '\\',
      '#',
      'nobody wrote this',
    ],
  ];
  return [
    {},
    ...components.map((component) => ({ component })),
    ...environments.map((environment) => ({ environment })),
    ...some(distinct('email')).map((email) => ({ email })),
    ...some(distinct('device_id')).map((device_id) => ({ device_id })),
    ...parts.map((message) => ({ message })),
    { from_date: `${day}T09:00:00Z`, to_date: `${day}T09:30:00Z` },
    { from_date: `${day}T23:59:00.000Z` },
    { to_date: `${day}T00:00:00.000Z` },
    { from_date: `${day}T05:30:00+01:00`, to_date: `${day}T06:00:00+01:00` },
    ...components.map((component) => ({ component, environment: environments[0] })),
    { component: components[0], message: 'timed out', from_date: `${day}T12:00:00Z` },
  ];
}
