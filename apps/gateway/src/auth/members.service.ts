import { Injectable } from '@nestjs/common';
import { DEFAULT_LIMIT, Reply, type AuditAction, type CallContext } from '#contracts';
import { Database, listReply, pageOf } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { changesOfFields, type ChangeSubject } from './audit-trail.js';
import { type Member } from './auth.entity.js';
import { AuthWrites, checkVersion } from './auth-writes.js';
import { mintKey } from './key-format.js';
import { KeysRepository } from './keys.repository.js';
import { placeOf } from './list-walk.js';
import { MembersRepository } from './members.repository.js';
import { type RequestContext } from './request-context.js';
import {
  type CreatedMember,
  type ListQuery,
  type MemberChange,
  type MemberPage,
  type MemberView,
  type NewMember,
} from './resources.js';
import { Revisions } from './revisions.js';

@Injectable()
export class MembersService {
  constructor(
    private readonly database: Database,
    private readonly writes: AuthWrites,
    private readonly members: MembersRepository,
    private readonly keys: KeysRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  create(request: NewMember, context: RequestContext): Promise<Reply<CreatedMember>> {
    const { project_id } = context.caller;
    return this.writes.once<CreatedMember>(context, async (manager) => {
      const member = await this.members.insert(manager, project_id, request);
      const key = mintKey(this.config.KEY_SECRET, 'member');
      await this.keys.insert(manager, key, { project_id, member_id: member.id }, null);
      const details = { name: member.name, role: member.role, key_id: key.id };
      const changes = [{ ...subjectOf('member.created', member), details }];
      return { body: { ...viewOf(member), key }, version: member.version, changes };
    });
  }

  async page(query: ListQuery, { caller }: CallContext): Promise<Reply<MemberPage>> {
    const { limit = DEFAULT_LIMIT } = query;
    const members = this.members.walk(caller.project_id, query);
    return listReply('members', await pageOf(members, limit, JSON.stringify, placeOf));
  }

  async get(id: string, { caller }: CallContext): Promise<Reply<MemberView>> {
    const member = await this.database.read((manager) => this.members.find(manager, caller.project_id, id));
    return Reply.of(viewOf(member), { version: String(member.version) });
  }

  change(
    id: string,
    change: MemberChange,
    context: RequestContext,
    if_match?: string,
  ): Promise<Reply<MemberView>> {
    const { project_id } = context.caller;
    return this.writes.once<MemberView>(context, async (manager) => {
      // Roles and addresses are remembered with keys, so that every change of them is a new revision.
      const revision = await this.revisions.next(manager);
      const member = await this.members.find(manager, project_id, id, true);
      checkVersion(member.version, if_match);
      const changes = changesOfFields(subjectOf('member.changed', member), member, change);
      Object.assign(member, change);
      await this.members.save(manager, member);
      await this.keys.revise(manager, id, revision);
      if (change.role !== undefined) await this.keys.keepAdmin(manager, project_id);
      return { body: viewOf(member), version: member.version, revision, changes };
    });
  }

  async delete(id: string, context: RequestContext, if_match?: string): Promise<void> {
    const { project_id } = context.caller;
    await this.writes.once<never>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const member = await this.members.find(manager, project_id, id, true);
      checkVersion(member.version, if_match);
      await this.keys.revoke(manager, { member_id: id }, revision);
      await this.members.delete(manager, member);
      await this.keys.keepAdmin(manager, project_id);
      const details = { name: member.name, role: member.role };
      return { body: null, revision, changes: [{ ...subjectOf('member.deleted', member), details }] };
    });
  }
}

function subjectOf(action: AuditAction, { project_id, id, email }: Member): ChangeSubject {
  return { action, project_id, subject_id: id, subject: email };
}

function viewOf({ id, email, name, role, created_at }: Member): MemberView {
  return { id, email, name, role, created_at: created_at.toISOString() };
}
