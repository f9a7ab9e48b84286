import { type Role } from '#contracts';

const OPERATOR: Role[] = ['operator'];
const ADMIN: Role[] = ['admin'];
const WRITERS: Role[] = ['admin', 'editor'];
const READERS: Role[] = ['admin', 'editor', 'viewer'];
const WITH_DEVICE: Role[] = [...READERS, 'device'];
const SENDERS: Role[] = ['admin', 'editor', 'device'];

export const ROLES: Role[] = ['operator', 'admin', 'editor', 'viewer', 'device'];

/** Who may use which route, written by hand from the wire contract. A route that is published must have its row. */
export const ROLE_TABLE: Record<string, Role[] | 'public'> = {
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /v1/me': ROLES,
  'POST /v1/projects': OPERATOR,
  'GET /v1/projects': OPERATOR,
  'GET /v1/projects/{id}': OPERATOR,
  'PATCH /v1/projects/{id}': OPERATOR,
  'DELETE /v1/projects/{id}': OPERATOR,
  'POST /v1/members': ADMIN,
  'GET /v1/members': ADMIN,
  'GET /v1/members/{id}': ADMIN,
  'PATCH /v1/members/{id}': ADMIN,
  'DELETE /v1/members/{id}': ADMIN,
  'POST /v1/devices': WRITERS,
  'GET /v1/devices': READERS,
  'GET /v1/devices/{device_id}': READERS,
  'PATCH /v1/devices/{device_id}': WRITERS,
  'DELETE /v1/devices/{device_id}': WRITERS,
  'POST /v1/devices/{device_id}/move': OPERATOR,
  'POST /v1/keys': ADMIN,
  'GET /v1/keys': ADMIN,
  'DELETE /v1/keys/{id}': ADMIN,
  'POST /v1/keys/{id}/rotate': ADMIN,
  'POST /v1/bulk': SENDERS,
  'POST /v1/events': SENDERS,
  'GET /v1/events': WITH_DEVICE,
  'GET /v1/events/histogram': WITH_DEVICE,
  'GET /v1/events/{id}': WITH_DEVICE,
  'PATCH /v1/devices/{device_id}/state': SENDERS,
  'PUT /v1/devices/{device_id}/state': SENDERS,
  'GET /v1/devices/{device_id}/state': WITH_DEVICE,
  'DELETE /v1/devices/{device_id}/state': WRITERS,
  'GET /v1/devices/{device_id}/state/history': WITH_DEVICE,
  'PATCH /v1/devices/{device_id}/state/desired': WRITERS,
  'PUT /v1/devices/{device_id}/state/desired': WRITERS,
  'GET /v1/states': WITH_DEVICE,
  'POST /v1/devices/{device_id}/firmware': ['device'],
  'GET /v1/devices/{device_id}/firmware': WITH_DEVICE,
  'GET /v1/firmware/adoption': READERS,
  'POST /v1/prices': WRITERS,
  'GET /v1/prices/changes': READERS,
  'GET /v1/prices/{product_id}': READERS,
  'GET /v1/stream': WITH_DEVICE,
  'GET /v1/timeline': WITH_DEVICE,
  'GET /v1/devices/{device_id}/timeline': WITH_DEVICE,
  'POST /v1/messages': SENDERS,
  'PUT /v1/messages/{id}': SENDERS,
  'GET /v1/messages': WITH_DEVICE,
  'GET /v1/messages/{id}': WITH_DEVICE,
  'DELETE /v1/messages/{id}': SENDERS,
  'GET /v1/conversations': WITH_DEVICE,
  'GET /v1/conversations/{peer}': WITH_DEVICE,
  'POST /v1/conversations/{peer}/read': SENDERS,
};

/** A role that may use the route. @throws Error for a route without a row */
export function roleFor(name: string): Role {
  const may = ROLE_TABLE[name];
  if (may === undefined) throw new Error(`${name} has no row in the role table`);
  return may === 'public' ? 'admin' : may[0]!;
}
