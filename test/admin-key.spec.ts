import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { prepareSchema } from '#embedded';
import { queryDatabase } from '#testing';
import { ROOT } from './apps.js';
import { aProject, type Project } from './project.js';
import { startSystem, type Gateway, type System } from './system.js';

const KEY_SECRET = randomUUID() + randomUUID();

describe('with another KEY_SECRET, an admin’s key', () => {
  let system: System;
  let gateway: Gateway;
  let project: Project;
  let DATABASE_URL: string;
  beforeAll(async () => {
    system = await startSystem();
    project = await aProject(system);
    gateway = await system.anotherGateway({ KEY_SECRET });
    DATABASE_URL = (await prepareSchema(system.database_url, 'auth')).service;
  });
  afterAll(() => system.stop());

  /** As in a container of the gateway. */
  const newKey = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ['admin-key.js', ...args], {
      cwd: join(ROOT, 'dist/apps/gateway/src'),
      env: { DATABASE_URL, KEY_SECRET },
    });

  it('is made by a command, and opens a project that nobody could open', async () => {
    expect((await project.admin.at(gateway.url).get('/v1/me')).status).toBe(401);
    const { stdout } = await newKey(project.id);
    expect(stdout).toMatch(/^flt_member_\w+\n$/);
    const admin = system.admin.at(gateway.url).as(stdout.trim());
    const { body } = await admin.get('/v1/me');
    expect(body).toMatchObject({ role: 'admin', project_id: project.id });
    const { device_id } = project;
    expect((await admin.post('/v1/keys', { device_id })).status).toBe(201);
  });

  it('stands in the audit of its project', async () => {
    const { stdout } = await newKey(project.id);
    const admin = system.admin.at(gateway.url).as(stdout.trim());
    const { key_id } = (await admin.get('/v1/me')).body as { key_id: string };
    const entries = await queryDatabase(
      system.database_url,
      `SELECT project_id, action, who->>'role' AS role FROM auth.audit_entries WHERE subject_id = $1`,
      [key_id],
    );
    expect(entries).toEqual([{ project_id: project.id, action: 'key.created', role: 'operator' }]);
  });

  it('is of no project that is not there', async () => {
    const { id } = await aProject({ ...system, operator: system.operator.at(gateway.url) });
    await system.operator.at(gateway.url).delete(`/v1/projects/${id}`);
    for (const gone of [id, randomUUID()])
      await expect(newKey(gone)).rejects.toMatchObject({ code: 1, stderr: 'Not found\n', stdout: '' });
    await expect(newKey()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('project') });
  });
});
