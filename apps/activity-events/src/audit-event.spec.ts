import { randomUUID } from 'node:crypto';
import { AUDIT_ACTIONS, NewEvent, validatorOf, type AuditAction, type AuditEntry } from '#contracts';
import { auditEvent } from './audit-event.js';

const ADA = {
  role: 'admin',
  principal: randomUUID(),
  address: 'ada@example.com',
  key_id: randomUUID(),
} as const;

function anEntry(rest: Partial<AuditEntry> = {}): AuditEntry {
  return {
    ...{ id: randomUUID(), project_id: randomUUID(), at: '2026-11-21T12:00:00.000Z' },
    ...{ action: 'member.changed', subject_id: randomUUID(), subject: 'bob@example.com', device_id: null },
    ...{ who: ADA, origin: { client_ip: '192.0.2.7', request_id: 'r' } },
    details: { role: 'editor', changes: { role: { before: 'viewer', after: 'editor' } } },
    ...rest,
  };
}

function messageOf(rest: Partial<AuditEntry>): string {
  return auditEvent(anEntry(rest)).message;
}

describe('an event of the audit', () => {
  it.each(AUDIT_ACTIONS)('is one that anybody might have recorded: %s', (action: AuditAction) => {
    const device_id = action.startsWith('device') ? 'pump 7' : null;
    // As JSON, where what is undefined is absent.
    const event: unknown = JSON.parse(JSON.stringify(auditEvent(anEntry({ action, device_id }))));
    expect(validatorOf(NewEvent)(event)).toEqual([]);
  });

  it('says what changed from what to what', () => {
    const changes = { role: { before: 'viewer', after: 'editor' }, name: { before: null, after: 'Bob' } };
    expect(messageOf({ details: { changes } })).toBe(
      'ada@example.com changed the role of bob@example.com from viewer to editor and the name',
    );
  });

  it('does not spell out what is more than a word', () => {
    const changes = { labels: { before: {}, after: { site: 'north' } } };
    const entry = { action: 'device.changed', subject: 'pump 7', device_id: 'pump 7' } as const;
    expect(messageOf({ ...entry, details: { changes } })).toBe(
      'ada@example.com changed the labels of the device pump 7',
    );
  });

  it('says whose key it was about', () => {
    expect(messageOf({ action: 'key.revoked' })).toBe('ada@example.com revoked a key of bob@example.com');
    expect(messageOf({ action: 'key.created', subject: 'pump 7', device_id: 'pump 7' })).toBe(
      'ada@example.com made a key for the device pump 7',
    );
  });

  it('has a stand-in for the address of the operator', () => {
    const who = { role: 'operator', principal: 'operator', address: 'operator', key_id: null } as const;
    const { email, message } = auditEvent(anEntry({ action: 'project.created', subject: 'demo', who }));
    expect([email, message]).toEqual(['operator@flotilla.invalid', 'The operator made the project demo']);
  });

  it('holds the whole entry, but for what the event itself says', () => {
    const entry = anEntry();
    const { id, project_id: _, at, device_id: __, ...rest } = entry;
    expect(auditEvent(entry)).toMatchObject({ id, occurred_at: at, data: rest });
  });
});
