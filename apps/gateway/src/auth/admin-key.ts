import { type EntityManager } from 'typeorm';
import { type Change } from './audit-trail.js';
import { Key, Member } from './auth.entity.js';
import { hashOf, idOfForeignKey, keyIdOf } from './key-format.js';

/** A key as its table has it, but for whose it is. */
export type KeyRow = Pick<Key, 'id' | 'secret_hash' | 'created_at' | 'revision'>;

export function rowOf(instance_secret: string, key: string): KeyRow {
  return {
    id: keyIdOf(key) ?? idOfForeignKey(instance_secret, key),
    secret_hash: hashOf(instance_secret, key),
    created_at: new Date(),
    revision: '0',
  };
}

/** Makes a key one of the oldest admin of a project. @returns the change; none in a project without an admin */
export async function giveToOldestAdmin(
  manager: EntityManager,
  project_id: string,
  key: KeyRow,
): Promise<Change | undefined> {
  const admin = await manager.findOne(Member, {
    where: { project_id, role: 'admin' },
    order: { created_at: 'ASC', id: 'ASC' },
  });
  if (!admin) return undefined;
  await manager.insert(Key, { ...key, project_id, member_id: admin.id });
  const subject = { project_id, subject_id: key.id, subject: admin.email };
  return { action: 'key.created', ...subject, details: { expires_at: null } };
}
