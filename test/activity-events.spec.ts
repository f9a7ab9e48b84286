import { startSystem, type System } from './system.js';

describe('activity events', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('finds again what was recorded', async () => {
    const event = {
      component: 'billing',
      environment: 'test',
      email: 'ada@example.com',
      message: 'paid',
      data: { a: 1 },
    };
    const recorded = await system.admin.post('/v1/events', event);
    expect(recorded.status).toBe(201);
    expect(recorded.body).toMatchObject(event);
    const found = await system.admin.get(`/v1/events/${recorded.body.id as string}`);
    expect(found.body).toEqual(recorded.body);
  });
});
