import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { acrossProjects, Failure, type Caller, type Role } from '#contracts';
import { Database, type Condition } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { Key, type Device } from './auth.entity.js';
import { Gathering } from './gathering.js';
import { hashOf, type MintedKey } from './key-format.js';
import { walkList } from './list-walk.js';
import { type Principal } from './principal.js';
import { type KeyView, type ListQuery } from './resources.js';

export type KeyOwner = { project_id: string; member_id: string } | { project_id: string; device_id: string };

interface HolderRow {
  id: string;
  secret_hash: Buffer;
  project_id: string | null;
  device_id: string | null;
  member_id: string | null;
  role: Role | null;
  email: string | null;
  expires_at: string | null;
}

const HOLDERS = `
  SELECT key.id, key.secret_hash, key.project_id, key.device_id, key.member_id, key.expires_at, member.role, member.email
  FROM auth.keys AS key
  LEFT JOIN auth.projects AS project ON project.id = key.project_id
  LEFT JOIN auth.members AS member ON member.project_id = key.project_id AND member.id = key.member_id
  LEFT JOIN auth.devices AS device ON device.project_id = key.project_id AND device.id = key.device_id
  WHERE key.id = ANY($1) AND key.revoked_at IS NULL
    AND (key.project_id IS NULL OR (project.deleted_at IS NULL AND (member.id IS NOT NULL OR device.id IS NOT NULL)))`;

const HAS_ADMIN = `
  SELECT EXISTS (
    SELECT FROM auth.keys AS key
    JOIN auth.members AS member ON member.project_id = key.project_id AND member.id = key.member_id
    WHERE key.project_id = $1 AND member.role = 'admin'
      AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now())
  ) AS has_admin`;

/** Other gateways note uses of the same keys; a clock that is ahead hides none that come later. */
const NOTE_USES = `
  UPDATE auth.keys SET last_used_at = least(used.at, now())
  FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
  WHERE keys.id = used.id AND (keys.last_used_at IS NULL OR keys.last_used_at < used.at)`;

export interface Holder {
  principal: Principal;
  secret_hash: Buffer;
}

@Injectable()
export class KeysRepository {
  /** A gateway that has just started is asked with all keys there are at once. */
  private readonly questions = new Gathering<string, Holder | undefined>((_, ids) => this.holders(ids));

  constructor(
    private readonly database: Database,
    private readonly config: GatewayConfig,
  ) {}

  /** Whose key this is, unless it is revoked, or its owner or project gone. Whether it has expired is for the caller to see. */
  holder(id: string): Promise<Holder | undefined> {
    return this.questions.ask('', id);
  }

  private async holders(ids: string[]): Promise<(Holder | undefined)[]> {
    const rows = await acrossProjects(() => this.database.prepared<HolderRow>('key-holders', HOLDERS, [ids]));
    const holderOf = new Map(rows.map((row) => [row.id, toHolder(row)]));
    return ids.map((id) => holderOf.get(id));
  }

  async insert(
    manager: EntityManager,
    minted: MintedKey,
    owner: KeyOwner,
    expires_at: Date | null,
  ): Promise<Key> {
    const key = manager.create(Key, {
      member_id: null,
      device_id: null,
      ...owner,
      id: minted.id,
      secret_hash: hashOf(this.config.KEY_SECRET, minted.key),
      created_at: new Date(),
      expires_at,
      revoked_at: null,
      last_used_at: null,
      rotated_at: null,
      revision: '0',
    });
    await manager.insert(Key, key);
    return key;
  }

  /** @throws Failure `not_found` unless the key is the project's and not revoked */
  async find(manager: EntityManager, project_id: string, id: string): Promise<Key> {
    const key = await manager.findOneBy(Key, { project_id, id });
    if (!key || key.revoked_at) throw new Failure('not_found');
    return key;
  }

  walk(project_id: string, query: ListQuery): AsyncGenerator<KeyView[]> {
    const select = 'SELECT id, member_id, device_id, created_at, expires_at, last_used_at FROM auth.keys';
    const conditions: Condition[] = [
      ['project_id = ?', project_id],
      ['revoked_at IS NULL', null],
    ];
    return walkList(this.database, select, conditions, query);
  }

  /** Revokes the keys that a condition names, at this revision. @returns how many there were */
  async revoke(
    manager: EntityManager,
    where: Partial<Pick<Key, 'id' | 'project_id' | 'member_id' | 'device_id'>>,
    revision: string,
  ): Promise<number> {
    const { affected } = await manager
      .createQueryBuilder()
      .update(Key)
      .set({ revoked_at: () => 'now()', revision })
      .where(where)
      .andWhere('revoked_at IS NULL')
      .execute();
    return affected ?? 0;
  }

  /** What a member's keys may do has changed, at this revision. */
  async revise(manager: EntityManager, member_id: string, revision: string): Promise<void> {
    await manager.update(Key, { member_id }, { revision });
  }

  /** The keys of a device go where it goes, at this revision. */
  async move(
    manager: EntityManager,
    { project_id, id: device_id }: Device,
    to_project_id: string,
    revision: string,
  ): Promise<void> {
    await manager.update(Key, { project_id, device_id }, { project_id: to_project_id, revision });
  }

  async noteRotation(manager: EntityManager, id: string): Promise<void> {
    await manager.update(Key, { id }, { rotated_at: new Date() });
  }

  /** A key ends earlier than it was to, at this revision. */
  async expire(manager: EntityManager, id: string, expires_at: Date, revision: string): Promise<void> {
    await manager.update(Key, { id }, { expires_at, revision });
  }

  /**
   * To be asked after what took rights away, at a revision of its own: of two admins that take each other's, one
   * comes first. @throws Failure `conflict` when nobody has a key any more that could let others in
   */
  async keepAdmin(manager: EntityManager, project_id: string): Promise<void> {
    const [row] = await manager.query<[{ has_admin: boolean }]>(HAS_ADMIN, [project_id]);
    if (row.has_admin) return;
    const detail = 'A project keeps at least one admin with a valid key; a key can be rotated instead';
    throw new Failure('conflict', detail);
  }

  /** Ids of keys, and when each was used, in ms. */
  async noteUses(uses: [string, number][]): Promise<void> {
    const [ids, times] = [uses.map(([id]) => id), uses.map(([, used_at]) => new Date(used_at))];
    await acrossProjects(() => this.database.rows(NOTE_USES, [ids, times]));
  }
}

function toHolder({
  id,
  secret_hash,
  project_id,
  device_id,
  member_id,
  role,
  email,
  expires_at,
}: HolderRow): Holder {
  const caller: Caller = {
    project_id: project_id ?? '',
    role: project_id === null ? 'operator' : device_id !== null ? 'device' : role!,
    principal: device_id ?? member_id ?? 'operator',
    address: device_id ?? email ?? 'operator',
    key_id: id,
  };
  const expires_at_ms = expires_at === null ? Infinity : Date.parse(expires_at);
  return { principal: { caller, expires_at_ms }, secret_hash };
}
