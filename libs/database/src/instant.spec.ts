import fc from 'fast-check';
import { Client } from 'pg';
import { testDatabase } from '#testing';
import { BoundedClient } from './bounded-client.js';
import { instantOf } from './instant.js';

describe('an instant from Postgres', () => {
  it.each([
    ['2026-11-29 13:12:31+00', '2026-11-29T13:12:31.000Z'],
    ['2026-11-29 13:12:31.5+00', '2026-11-29T13:12:31.500Z'],
    ['2026-11-29 13:12:31.123999+00', '2026-11-29T13:12:31.123Z'],
    ['0001-01-01 00:00:00.001+00', '0001-01-01T00:00:00.001Z'],
    ['2026-11-29 18:42:31.123+05:30', '2026-11-29T13:12:31.123Z'],
    ['10000-01-01 00:00:00+00', '+010000-01-01T00:00:00.000Z'],
  ])('printed as %s is %s', (printed, instant) => {
    expect(instantOf(printed)).toBe(instant);
  });

  it('is refused when there is no such time', () => {
    expect(() => instantOf('infinity')).toThrow(RangeError);
  });
});

describe('a connection', () => {
  const clients: Client[] = [];

  async function connected(timezone: string): Promise<Client> {
    const client = new BoundedClient({
      connectionString: await testDatabase(),
      options: `-c timezone=${timezone}`,
    });
    await client.connect();
    clients.push(client);
    return client;
  }

  afterAll(() => Promise.all(clients.map((client) => client.end())));

  it.each(['UTC', 'Asia/Kolkata', 'America/New_York'])(
    'gives back what it was given, in %s',
    async (timezone) => {
      const client = await connected(timezone);
      const years = { min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T23:59:59.999Z') };
      await fc.assert(
        fc.asyncProperty(fc.date({ ...years, noInvalidDate: true }), async (date) => {
          const { rows } = await client.query<{ at: string }>('SELECT $1::timestamptz AS at', [
            date.toISOString(),
          ]);
          expect(rows[0]!.at).toBe(date.toISOString());
        }),
      );
    },
  );
});
