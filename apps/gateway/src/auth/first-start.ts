import { Injectable, type OnModuleInit } from '@nestjs/common';
import { IsNull, type EntityManager } from 'typeorm';
import { acrossProjects } from '#contracts';
import { Database } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { giveToOldestAdmin, rowOf, type KeyRow } from './admin-key.js';
import { INSTANCE, recordChanges, type Change } from './audit-trail.js';
import { Key, Project } from './auth.entity.js';
import { ProjectsRepository } from './projects.repository.js';
import { subjectOf } from './projects.service.js';
import { Revisions } from './revisions.js';

/** Sees to it that the operator's key opens the instance, and that the first project, `demo`, has an admin. */
@Injectable()
export class FirstStart implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly projects: ProjectsRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  onModuleInit(): Promise<void> {
    return acrossProjects(() => this.prepare());
  }

  private async prepare(): Promise<void> {
    const { KEY_SECRET, FLOTILLA_OPERATOR_KEY, FLOTILLA_ADMIN_KEY } = this.config;
    await this.database.transaction(async (manager) => {
      // The lock of the revision makes gateways that start together take turns.
      const revision = await this.revisions.next(manager);
      const operator = rowOf(KEY_SECRET, FLOTILLA_OPERATOR_KEY);
      // There is one operator: with a new key in the configuration, the old one is worth nothing.
      await manager
        .createQueryBuilder()
        .update(Key)
        .set({ revoked_at: () => 'now()', revision })
        .where('project_id IS NULL AND revoked_at IS NULL AND id <> :id', operator)
        .execute();
      await manager.createQueryBuilder().insert().into(Key).values(operator).orIgnore().execute();
      await manager.update(Key, { id: operator.id }, { revoked_at: null });
      await rehash(manager, operator, revision);

      const admin = rowOf(KEY_SECRET, FLOTILLA_ADMIN_KEY);
      await rehash(manager, admin, revision);
      if (await manager.existsBy(Key, { id: admin.id })) return;
      const changes: Change[] = [];
      let demo = await manager.findOne(Project, {
        where: { name: 'demo', deleted_at: IsNull() },
        order: { created_at: 'ASC', id: 'ASC' },
      });
      if (!demo) {
        const first = await this.projects.insert(manager, 'demo');
        demo = first.project;
        changes.push({ ...subjectOf('project.created', demo), details: { admin: first.admin.email } });
      }
      const given = await giveToOldestAdmin(manager, demo.id, admin);
      if (given) changes.push(given);
      await recordChanges(manager, INSTANCE, changes);
    });
  }
}

/** A key that outlives a change of `KEY_SECRET` is the same key under another hash; a revoked one stays worth nothing. */
async function rehash(manager: EntityManager, { id, secret_hash }: KeyRow, revision: string): Promise<void> {
  await manager
    .createQueryBuilder()
    .update(Key)
    .set({ secret_hash, revision })
    .where('id = :id AND revoked_at IS NULL AND secret_hash <> :secret_hash', { id, secret_hash })
    .execute();
}
