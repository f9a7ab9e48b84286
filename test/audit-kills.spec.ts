import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#testing';
import { descendantsOf } from './processes.js';
import { started, type Started } from './started.js';

const PATIENCE_MS = 40_000;

describe('the audit, while processes are killed', () => {
  let directory: string;
  let flotilla: Started;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-audit-'));
    flotilla = await started(directory);
  });
  afterAll(async () => {
    flotilla.kill('SIGTERM');
    await flotilla.ended;
    await rm(directory, { recursive: true, force: true });
  });

  const signal = async (part: string, name: NodeJS.Signals): Promise<void> => {
    const all = await descendantsOf(flotilla.pid);
    const found = all.find(({ parent, command }) => parent === flotilla.pid && command.includes(part));
    process.kill(found!.pid, name);
  };
  /** Registers a device, however long the gateway is away. */
  const register = (id: string): Promise<void> =>
    eventually(async () => {
      const headers = { 'idempotency-key': encodeURIComponent(id) };
      expect((await flotilla.admin.post('/v1/devices', { id }, headers)).status).toBe(201);
    }, PATIENCE_MS);
  /** Of which devices it tells that they were registered. */
  const expectToldOnce = (devices: string[]): Promise<void> =>
    eventually(async () => {
      const { status, body } = await flotilla.admin.get('/v1/events?component=auth&limit=1000');
      expect(status).toBe(200);
      const events = body.events as { data: { action: string; subject: string } }[];
      const told = events.filter(({ data }) => data.action === 'device.registered');
      expect(told.map(({ data }) => data.subject).sort()).toEqual(devices.toSorted());
    }, PATIENCE_MS);

  it('tells of each change once', async () => {
    const devices: string[] = [];
    for (const part of ['apps/activity-events', 'apps/gateway', 'apps/activity-events', 'nats-server']) {
      const some = Array.from({ length: 20 }, (_, index) => `${part} ${devices.length + index}`);
      const work = some.map(register);
      await work[0];
      await signal(part, 'SIGKILL');
      await Promise.all(work);
      devices.push(...some);
    }
    await expectToldOnce(devices);

    // JetStream stands still: what is committed now cannot be published before the gateway is killed.
    await signal('nats-server', 'SIGSTOP');
    await register('unpublished');
    await signal('apps/gateway', 'SIGKILL');
    await signal('nats-server', 'SIGCONT');
    devices.push('unpublished');
    await expectToldOnce(devices);

    flotilla.kill('SIGTERM');
    await flotilla.ended;
    await rm(join(directory, 'nats', 'jetstream'), { recursive: true });
    flotilla = await started(directory);
    await register('after the wipe');
    await expectToldOnce([...devices, 'after the wipe']);
  });
});
