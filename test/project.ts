import { aDeviceId, anEmail } from './builders.js';
import { type HttpClient } from './http-client.js';
import { type System } from './system.js';

/** A project of a test's own, with a caller of each role. */
export interface Project {
  id: string;
  admin: HttpClient;
  editor: HttpClient;
  viewer: HttpClient;
  /** The device `device_id`, speaking for itself. */
  device: HttpClient;
  device_id: string;
  editor_id: string;
  viewer_id: string;
}

export async function aProject({ operator }: System, name = 'north'): Promise<Project> {
  const project = await operator.post('/v1/projects', { name });
  const admin = operator.as(project.body.admin_key as string);
  const [editor, viewer, device] = await Promise.all([
    admin.post('/v1/members', { email: anEmail(), role: 'editor' }),
    admin.post('/v1/members', { email: anEmail(), role: 'viewer' }),
    admin.post('/v1/devices', { id: aDeviceId() }),
  ]);
  return {
    id: project.body.id as string,
    admin,
    editor: operator.as(editor.body.key as string),
    viewer: operator.as(viewer.body.key as string),
    device: operator.as(device.body.key as string),
    device_id: device.body.id as string,
    editor_id: editor.body.id as string,
    viewer_id: viewer.body.id as string,
  };
}
