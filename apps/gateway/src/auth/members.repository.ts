import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Failure } from '#contracts';
import { Member } from './auth.entity.js';
import { conflictIfTaken } from './conflict-if-taken.js';
import { type NewMember } from './resources.js';

@Injectable()
export class MembersRepository {
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

  /** @throws Failure `conflict` as above */
  async save(manager: EntityManager, member: Member): Promise<void> {
    await manager.save(member).catch(conflictIfTaken('Another member has this e-mail address'));
  }

  async delete(manager: EntityManager, { project_id, id }: Member): Promise<void> {
    await manager.delete(Member, { project_id, id });
  }
}
