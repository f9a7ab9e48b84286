import { type Caller } from './call.js';

/** What can happen to projects, members, devices and keys. A device that moves leaves one project and enters another. */
export const AUDIT_ACTIONS = [
  ...(['project.created', 'project.changed', 'project.deleted'] as const),
  ...(['member.created', 'member.changed', 'member.deleted'] as const),
  ...(['device.registered', 'device.changed', 'device.deleted'] as const),
  ...(['device.moved_away', 'device.moved_here'] as const),
  ...(['key.created', 'key.rotated', 'key.revoked'] as const),
] as const;

/** What was done to a resource of the gateway, as an event of the audit says it. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One change in a project: who made it, from where, and what it was. Holds no key, and nothing that is kept of one. */
export interface AuditEntry {
  id: string;
  project_id: string;
  /** RFC 3339 UTC. */
  at: string;
  action: AuditAction;
  /** What was changed, by its id … */
  subject_id: string;
  /** … and by what people call it: a project's name, a member's e-mail, a device's id; of a key, its owner's. */
  subject: string;
  /** The device that it is about. */
  device_id: string | null;
  who: AuditAuthor;
  origin: AuditOrigin;
  /** What there is now, or was; of a change `changes`: each field's `before` and `after`. */
  details: Record<string, unknown>;
}

/** `key_id` is null for the instance itself, at its first start. */
export type AuditAuthor = Pick<Caller, 'role' | 'principal' | 'address'> & { key_id: string | null };

/** Both are null for the instance itself. */
export interface AuditOrigin {
  client_ip: string | null;
  request_id: string | null;
}

/** What every event made of an audit entry has, and no other event: callers are refused this pair. */
export const AUDIT_EVENT = { component: 'auth', environment: 'flotilla' } as const;
