import { isDeepStrictEqual } from 'node:util';
import { type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { type AuditAuthor, type AuditEntry, type AuditOrigin } from '#contracts';
import { AuditEntryRow } from './auth.entity.js';

/** What is to stand in the audit of a change. */
export type Change = Omit<AuditEntry, 'id' | 'at' | 'device_id' | 'who' | 'origin'> & {
  device_id?: string | null;
};

/** A change but for what it was. */
export type ChangeSubject = Omit<Change, 'details'>;

/** Whose request changes something, and from where it came. */
export type Author = { caller: AuditAuthor } & AuditOrigin;

/** Changes that the instance makes by itself, as its operator has configured it. */
export const INSTANCE: Author = {
  caller: { role: 'operator', principal: 'operator', address: 'operator', key_id: null },
  client_ip: null,
  request_id: null,
};

/** Writes the audit of changes, in their own transaction: there is no change without it, and it is of no other. */
export function recordChanges(manager: EntityManager, author: Author, changes: Change[]): Promise<void> {
  return recordChangesOf(
    manager,
    changes.map((change) => ({ author, change })),
  );
}

/** As `recordChanges`, of changes by several. */
export async function recordChangesOf(
  manager: EntityManager,
  changes: { author: Author; change: Change }[],
): Promise<void> {
  if (changes.length === 0) return;
  await manager.insert(
    AuditEntryRow,
    changes.map(({ author: { caller, client_ip, request_id }, change: { device_id = null, ...change } }) => ({
      ...change,
      id: uuidv7(),
      at: new Date(),
      device_id,
      who: { role: caller.role, principal: caller.principal, address: caller.address, key_id: caller.key_id },
      origin: { client_ip, request_id },
    })),
  );
}

/** The change of these fields of `one`, from what they are; none when they are so already. */
export function changesOfFields<T extends object>(
  subject: ChangeSubject,
  one: T,
  fields: Partial<T>,
): Change[] {
  const changes: Record<string, { before: unknown; after: unknown }> = {};
  for (const [name, after] of Object.entries<unknown>(fields)) {
    const before: unknown = one[name as keyof T];
    if (after !== undefined && !isDeepStrictEqual(before, after)) changes[name] = { before, after };
  }
  return Object.keys(changes).length === 0 ? [] : [{ ...subject, details: { changes } }];
}
