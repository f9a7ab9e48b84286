import { setTimeout } from 'node:timers/promises';
import { queryDatabase, testDatabase } from '#testing';
import { Lead } from './lead.js';

describe('the lead', () => {
  let url: string;
  let stopping: AbortController;
  beforeEach(async () => {
    url = await testDatabase();
    stopping = new AbortController();
  });

  const wait = (name: string): Promise<Lead | undefined> => Lead.wait(url, name, stopping.signal);
  /** A wait that is not over while others have had theirs. */
  const isWaiting = async (waiting: Promise<unknown>): Promise<boolean> =>
    (await Promise.race([waiting, setTimeout(500, 'waiting')])) === 'waiting';
  const connections = (): Promise<{ pid: number; name: string }[]> =>
    queryDatabase(
      url,
      `SELECT pid, application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );

  it('is with one at a time, and passes on when it is given up', async () => {
    const first = await wait('one');
    const second = wait('one');
    expect(await isWaiting(second)).toBe(true);
    await first!.giveUp();
    expect(await second).toBeDefined();
    await (await second)!.giveUp();
  });

  it('of one name has nothing to do with that of another', async () => {
    const leads = await Promise.all([wait('one'), wait('other')]);
    expect(leads).not.toContain(undefined);
    await Promise.all(leads.map((lead) => lead!.giveUp()));
  });

  it('is lost with its connection, and says so to whoever still believes to have it', async () => {
    const first = await wait('one');
    const [holder] = await connections();
    await queryDatabase(url, 'SELECT pg_terminate_backend($1)', [holder!.pid]);
    const second = await wait('one');
    await expect(first!.prepared('one', 'SELECT 1', [])).rejects.toMatchObject({ code: 'unavailable' });
    await second!.giveUp();
  });

  it('reads rows that may be large as far as a page has room, and goes on over its connection', async () => {
    const lead = await wait('one');
    const read = (from: number) =>
      lead!.firstRows<{ n: number }>(
        `SELECT n, repeat('x', 1000000) AS text FROM generate_series($1::int, 8) AS n`,
        [from],
        'large-rows',
      );
    const first = await read(1);
    expect([first.rows.map(({ n }) => n), first.isCut]).toEqual([[1, 2, 3, 4, 5], true]);
    const rest = await read(6);
    expect([rest.rows.map(({ n }) => n), rest.isCut]).toEqual([[6, 7, 8], false]);
    await lead!.giveUp();
  });

  it('is waited for no longer than told', async () => {
    const first = await wait('one');
    const second = wait('one');
    stopping.abort();
    expect(await second).toBeUndefined();
    await first!.giveUp();
    expect(await connections()).toEqual([]);
  });
});
