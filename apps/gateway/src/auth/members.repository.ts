import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Failure } from '#contracts';
import { Database } from '#database';
import { Member } from './auth.entity.js';
import { conflictIfTaken } from './conflict-if-taken.js';
import { walkList } from './list-walk.js';
import { type ListQuery, type MemberView, type NewMember } from './resources.js';

@Injectable()
export class MembersRepository {
  constructor(private readonly database: Database) {}

  /** @throws Failure `conflict` when the address is another member's */
  async insert(
    manager: EntityManager,
    project_id: string,
    { email, name, role }: NewMember,
  ): Promise<Member> {
    const member = manager.create(Member, {
      ...{ project_id, id: uuidv7(), email, name: name ?? null, role },
      created_at: new Date(),
    });
    await this.save(manager, member);
    return member;
  }

  /** @throws Failure `not_found` */
  async find(manager: EntityManager, project_id: string, id: string, forUpdate = false): Promise<Member> {
    const member = await manager.findOne(Member, {
      where: { project_id, id },
      ...(forUpdate && { lock: { mode: 'pessimistic_write' } }),
    });
    if (!member) throw new Failure('not_found');
    return member;
  }

  walk(project_id: string, query: ListQuery): AsyncGenerator<MemberView[]> {
    const select = 'SELECT id, email, name, role, created_at FROM auth.members';
    return walkList(this.database, select, [['project_id = ?', project_id]], query);
  }

  /** @throws Failure `conflict` as above */
  async save(manager: EntityManager, member: Member): Promise<void> {
    await manager.save(member).catch(conflictIfTaken('Another member has this e-mail address'));
  }

  async delete(manager: EntityManager, { project_id, id }: Member): Promise<void> {
    await manager.delete(Member, { project_id, id });
  }
}
