import { Reply } from '#contracts';
import { Database } from '#database';
import { ActivityEventsRepository } from '../apps/activity-events/src/activity-events.repository.js';
import { DevicesService } from '../apps/gateway/src/auth/devices.service.js';
import { anEvent } from './builders.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

describe('a statement that forgets its project', () => {
  let system: System;
  let [north, south]: [Project?, Project?] = [];
  let theirs: string;

  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    north = await aProject(system, 'north');
    south = await aProject(system, 'south');
    await north.editor.post('/v1/events', anEvent());
    theirs = (await south.editor.post('/v1/events', anEvent({ message: 'of the south' }))).body.id as string;
    const events = system.activityEvents.app.get(ActivityEventsRepository);
    const database = system.activityEvents.app.get(Database);
    const all = `SELECT id, component, environment, email, message, data::text, device_id, occurred_at, created_at
      FROM activity_events.events`;
    Object.assign(events, {
      page: () => database.firstRows(all, [], 'all-events'),
      find: async (_: string, id: string) => (await database.rows(`${all} WHERE id = $1`, [id]))[0],
    });
    const gateway = system.gateway.app.get(Database);
    Object.assign(system.gateway.app.get(DevicesService), {
      page: async () =>
        Reply.of({ devices: await gateway.rows('SELECT id FROM auth.devices'), next_cursor: null }),
    });
  });
  afterAll(() => system.stop());

  it('shows a service nothing of another project, however many call at once', async () => {
    const pages = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? north! : south!).viewer.get('/v1/events')),
    );
    pages.forEach(({ status, body }, index) => {
      const messages = (body.events as { message: string }[]).map(({ message }) => message);
      expect(status).toBe(200);
      expect(messages).toHaveLength(1);
      expect(messages[0] === 'of the south').toBe(index % 2 === 0);
    });
    expect((await north!.admin.get(`/v1/events/${theirs}`)).status).toBe(404);
    expect((await south!.admin.get(`/v1/events/${theirs}`)).status).toBe(200);
  });

  it('shows the gateway nothing of another project, however many call at once', async () => {
    const pages = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? north! : south!).viewer.get('/v1/devices')),
    );
    pages.forEach(({ body }, index) => {
      expect(body.devices).toEqual([{ id: (index % 2 ? north! : south!).device_id }]);
    });
  });
});
