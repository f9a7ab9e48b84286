import { AUDIT_EVENT, type AuditAction, type AuditEntry, type NewEvent } from '#contracts';
import { type FeedEntry } from '#feeds';

/** Where an author has no e-mail address; RFC 2606 keeps it from ever being anybody's. */
const STAND_IN = 'operator@flotilla.invalid';

interface FieldChange {
  before: unknown;
  after: unknown;
}

/** A change as the feed tells of it. */
export function auditEntryOf({ body }: FeedEntry): AuditEntry {
  return JSON.parse(Buffer.from(body).toString()) as AuditEntry;
}

/** The event that tells of a change: by whom in `email`, what in `message` for a person, all of it in `data`. */
export function auditEvent(entry: AuditEntry): NewEvent & { id: string; occurred_at: string } {
  const { id, project_id: _, at, device_id, ...data } = entry;
  return {
    ...AUDIT_EVENT,
    id,
    email: data.who.role === 'operator' ? STAND_IN : data.who.address,
    message: `${data.who.role === 'operator' ? 'The operator' : data.who.address} ${deedOf(entry)}`,
    data,
    device_id: device_id ?? undefined,
    occurred_at: at,
  };
}

function deedOf({ action, subject, device_id, details }: AuditEntry): string {
  const device = `the device ${subject}`;
  const owner = device_id === null ? subject : device;
  const role = String(details.role);
  const deeds: Record<AuditAction, () => string> = {
    'project.created': () => `made the project ${subject}`,
    'project.changed': () => changesOf(`the project ${subject}`, details),
    'project.deleted': () => `deleted the project ${subject}`,
    'member.created': () => `let ${subject} in as ${role}`,
    'member.changed': () => changesOf(subject, details),
    'member.deleted': () => `removed ${subject}, who was ${role}`,
    'device.registered': () => `registered ${device}`,
    'device.changed': () => changesOf(device, details),
    'device.deleted': () => `removed ${device}`,
    'device.moved_away': () => `moved ${device} to another project`,
    'device.moved_here': () => `moved ${device} here from another project`,
    'key.created': () => `made a key for ${owner}`,
    'key.rotated': () => `replaced a key of ${owner}`,
    'key.revoked': () => `revoked a key of ${owner}`,
  };
  return deeds[action]();
}

/** Such as: changed the role of bob@example.com from viewer to editor. */
function changesOf(subject: string, details: AuditEntry['details']): string {
  const changes = Object.entries(details.changes as Record<string, FieldChange>);
  const parts = changes.map(([name, { before, after }], index) => {
    const field = index === 0 ? `the ${name} of ${subject}` : `the ${name}`;
    const isTold = [before, after].every((value) => typeof value === 'string');
    return isTold ? `${field} from ${before as string} to ${after as string}` : field;
  });
  return `changed ${parts.join(' and ')}`;
}
