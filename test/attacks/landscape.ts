import { randomUUID } from 'node:crypto';
import { ENTRY_KINDS, FEED_START, type Role } from '#contracts';
import { aDeviceId, aFirmwareEvent, anEmail, anEvent } from '../builders.js';
import { type Answer, type HttpClient } from '../http-client.js';
import { type Route } from '../openapi-routes.js';
import { aProject, type Project } from '../project.js';
import { type System } from '../system.js';

/** Values that lead to something, by the parameter or field that takes them. */
export interface Things {
  /** What `{id}` is, by the collection it stands in. */
  ids: Record<string, string>;
  /** All other parameters, headers and fields, by their names. */
  named: Record<string, string>;
}

/** A project with something in each of its collections. */
export interface Landscape {
  project: Project;
  callers: Record<Role, HttpClient>;
  /** What a caller of this role may reach. */
  things(role: Role): Things;
  /** A word in every text of the project, and every id in it: no other project may ever see one of these. */
  secrets: string[];
}

/** An id of the stream, in front of all entries. */
export const STREAM_START = ENTRY_KINDS.map((kind) => [kind, ...FEED_START].join(':')).join();

const TALKERS = ['admin', 'editor', 'device'] as const;

export async function aLandscape(system: System): Promise<Landscape> {
  const mark = `mark-${randomUUID()}`;
  const project = await aProject(system, mark);
  const { admin, editor, viewer, device, device_id, viewer_id, editor_id } = project;
  const callers = { operator: system.operator, admin, editor, viewer, device };
  const made = async (answer: Promise<Answer>): Promise<any> => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  };
  const emails = await Promise.all(
    [viewer_id, editor_id].map(async (id) => (await made(admin.get(`/v1/members/${id}`))).email as string),
  );
  const [reader, writer] = emails as [string, string];
  const product_id = `${mark} product`;
  const path = `/v1/devices/${encodeURIComponent(device_id)}`;
  await made(admin.patch(path, { name: mark, labels: { site: mark } }));
  await made(device.patch(`${path}/state`, { data: { mark } }));
  await made(editor.patch(`${path}/state/desired`, { data: { wanted: mark } }));
  const firmware = await made(device.post(`${path}/firmware`, aFirmwareEvent({ firmware: `1.0.0-${mark}` })));
  const event = await made(
    admin.post(
      '/v1/events',
      anEvent({ component: mark, environment: mark, message: mark, data: { mark }, device_id }),
    ),
  );
  const key = await made(admin.post('/v1/keys', { device_id }));
  for (const price of ['1', '2']) await made(admin.post('/v1/prices', { product_id, price }));
  const sent = await Promise.all(
    TALKERS.map(async (role) => {
      const message = await made(callers[role].post('/v1/messages', { recipient: reader, message: mark }));
      return [role, message.id as string] as const;
    }),
  );
  const messages: Record<string, string> = { ...Object.fromEntries(sent) };
  return {
    project,
    callers,
    things: (role) => {
      const peer = role === 'viewer' ? writer : reader;
      const message = messages[role] ?? messages.editor!;
      return {
        ids: {
          projects: project.id,
          members: viewer_id,
          keys: key.id as string,
          events: event.id as string,
          messages: message,
        },
        named: {
          device_id,
          product_id,
          peer,
          recipient: peer,
          up_to: message,
          project_id: project.id,
          email: anEmail(),
          id: aDeviceId(),
          'last-event-id': STREAM_START,
        },
      };
    },
    secrets: [
      mark,
      project.id,
      device_id,
      ...emails,
      viewer_id,
      editor_id,
      ...[event, key, firmware].map(({ id }) => id as string),
      ...Object.values(messages),
    ],
  };
}

/** Routes that make what they name: a valid id is one that nobody has used. */
export const MAKES_ITS_ID = ['PUT /v1/messages/{id}'];

/** Values of the right form that lead to nothing. */
export function nothing(): Things {
  const id = randomUUID();
  return {
    ids: Object.fromEntries(
      ['projects', 'members', 'keys', 'events', 'messages'].map((name) => [name, randomUUID()]),
    ),
    named: {
      device_id: aDeviceId(),
      product_id: id,
      peer: aDeviceId(),
      recipient: aDeviceId(),
      up_to: id,
      project_id: randomUUID(),
      email: anEmail(),
      id: aDeviceId(),
    },
  };
}

/** What fills the parameters of the path. @throws Error for one that nothing here leads to */
export function parametersOf(
  { name, path, parameters }: Route,
  { ids, named }: Things,
): Record<string, string> {
  return Object.fromEntries(
    parameters.map((parameter) => {
      if (MAKES_ITS_ID.includes(name)) return [parameter, randomUUID()];
      const value = parameter === 'id' ? ids[path.split('/')[2]!] : named[parameter];
      if (value === undefined)
        throw new Error(`Nothing fills {${parameter}} of ${name}: name it in a landscape`);
      return [parameter, value];
    }),
  );
}
