import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import {
  DEFAULT_LIMIT,
  Failure,
  parseTimestamp,
  type AuditAction,
  type CallContext,
  type Reply,
} from '#contracts';
import { listReply, pageOf } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { type Change } from './audit-trail.js';
import { type Key } from './auth.entity.js';
import { AuthWrites } from './auth-writes.js';
import { DevicesRepository } from './devices.repository.js';
import { mintKey } from './key-format.js';
import { KeysRepository, type KeyOwner } from './keys.repository.js';
import { placeOf } from './list-walk.js';
import { MembersRepository } from './members.repository.js';
import { type RequestContext } from './request-context.js';
import {
  type CreatedKey,
  type KeyPage,
  type KeyView,
  type ListQuery,
  type NewKey,
  type Rotation,
} from './resources.js';
import { Revisions } from './revisions.js';

@Injectable()
export class KeysService {
  constructor(
    private readonly writes: AuthWrites,
    private readonly keys: KeysRepository,
    private readonly members: MembersRepository,
    private readonly devices: DevicesRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  create({ device_id, member_id, expires_at }: NewKey, context: RequestContext): Promise<Reply<CreatedKey>> {
    const { project_id } = context.caller;
    if ((device_id === undefined) === (member_id === undefined)) {
      throw Failure.invalid({ pointer: '/device_id', detail: 'say either device_id or member_id' });
    }
    const expires = expires_at === undefined ? null : parseTimestamp(expires_at)!;
    return this.writes.once<CreatedKey>(context, async (manager) => {
      // Here, as a repeat may come when the key has expired.
      if (expires && expires.getTime() <= Date.now()) {
        throw Failure.invalid({ pointer: '/expires_at', detail: 'must be in the future' });
      }
      const owner: KeyOwner =
        device_id === undefined ? { project_id, member_id: member_id! } : { project_id, device_id };
      // Whoever deletes or moves the owner at this moment comes before this key or finds it there.
      const subject = await this.addressOf(manager, owner, true);
      const minted = mintKey(this.config.KEY_SECRET, device_id === undefined ? 'member' : 'device');
      const key = await this.keys.insert(manager, minted, owner, expires);
      const details = { expires_at: key.expires_at };
      return {
        body: { ...viewOf(key), key: minted },
        changes: [changeOf('key.created', key, subject, details)],
      };
    });
  }

  async page(query: ListQuery, { caller }: CallContext): Promise<Reply<KeyPage>> {
    const { limit = DEFAULT_LIMIT } = query;
    const keys = this.keys.walk(caller.project_id, query);
    return listReply('keys', await pageOf(keys, limit, JSON.stringify, placeOf));
  }

  async revoke(id: string, context: RequestContext): Promise<void> {
    const { project_id } = context.caller;
    await this.writes.once<never>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const key = await this.keys.find(manager, project_id, id);
      const subject = await this.addressOf(manager, ownerOf(key));
      await this.keys.revoke(manager, { id }, revision);
      await this.keys.keepAdmin(manager, project_id);
      return { body: null, revision, changes: [changeOf('key.revoked', key, subject, {})] };
    });
  }

  /**
   * A new key for the same owner, until when the old one was to last; that ends now, or when the overlap does. Once:
   * then it lasts until the overlap ends, and nobody knows any more until when its successor should.
   */
  rotate(id: string, { overlap_seconds = 0 }: Rotation, context: RequestContext): Promise<Reply<CreatedKey>> {
    const { project_id } = context.caller;
    return this.writes.once<CreatedKey>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const old = await this.keys.find(manager, project_id, id);
      if (old.rotated_at) throw new Failure('conflict', 'The key has been rotated already: make a new one');
      if (old.expires_at && old.expires_at.getTime() <= Date.now())
        throw new Failure('conflict', 'The key has expired, and so would its successor: make a new one');
      const owner = ownerOf(old);
      const subject = await this.addressOf(manager, owner);
      const minted = mintKey(this.config.KEY_SECRET, old.device_id === null ? 'member' : 'device');
      const key = await this.keys.insert(manager, minted, owner, old.expires_at);
      const ends = new Date(Date.now() + overlap_seconds * 1000);
      await this.keys.noteRotation(manager, id);
      if (overlap_seconds === 0) await this.keys.revoke(manager, { id }, revision);
      else if (!old.expires_at || old.expires_at > ends) await this.keys.expire(manager, id, ends, revision);
      const changes = [changeOf('key.rotated', old, subject, { new_key_id: key.id, overlap_seconds })];
      return { body: { ...viewOf(key), key: minted }, revision, changes };
    });
  }

  /** @throws Failure `not_found` */
  private async addressOf(manager: EntityManager, owner: KeyOwner, forUpdate = false): Promise<string> {
    const { project_id } = owner;
    if ('device_id' in owner)
      return (await this.devices.find(manager, project_id, owner.device_id, forUpdate)).id;
    return (await this.members.find(manager, project_id, owner.member_id, forUpdate)).email;
  }
}

function ownerOf({ project_id, device_id, member_id }: Key): KeyOwner {
  return device_id === null
    ? { project_id: project_id!, member_id: member_id! }
    : { project_id: project_id!, device_id };
}

function changeOf(action: AuditAction, key: Key, subject: string, details: Record<string, unknown>): Change {
  const { id, project_id, device_id } = key;
  return { action, project_id: project_id!, subject_id: id, subject, device_id, details };
}

function viewOf({ id, member_id, device_id, created_at, expires_at, last_used_at }: Key): KeyView {
  return {
    id,
    member_id,
    device_id,
    created_at: created_at.toISOString(),
    expires_at: expires_at?.toISOString() ?? null,
    last_used_at: last_used_at?.toISOString() ?? null,
  };
}
