import { Injectable, type OnModuleInit } from '@nestjs/common';
import { IsNull, type EntityManager } from 'typeorm';
import { acrossProjects } from '#contracts';
import { Database } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { INSTANCE, recordChanges, type Change } from './audit-trail.js';
import { Key, Project } from './auth.entity.js';
import { hashOf, idOfForeignKey, keyIdOf } from './key-format.js';
import { createProject, subjectOf } from './projects.service.js';
import { Revisions } from './revisions.js';

/** Sees to it that the operator's key opens the instance, and that the first project, `demo`, has an admin. */
@Injectable()
export class FirstStart implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  onModuleInit(): Promise<void> {
    return acrossProjects(() => this.prepare());
  }

  private async prepare(): Promise<void> {
    const { FLOTILLA_OPERATOR_KEY, FLOTILLA_ADMIN_KEY } = this.config;
    await this.database.transaction(async (manager) => {
      // The lock of the revision makes gateways that start together take turns.
      const revision = await this.revisions.next(manager);
      const operator = this.rowOf(FLOTILLA_OPERATOR_KEY);
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

      const admin = this.rowOf(FLOTILLA_ADMIN_KEY);
      await rehash(manager, admin, revision);
      if (await manager.existsBy(Key, { id: admin.id })) return;
      const changes: Change[] = [];
      let demo = await manager.findOne(Project, {
        where: { name: 'demo', deleted_at: IsNull() },
        order: { created_at: 'ASC', id: 'ASC' },
      });
      if (!demo) {
        const first = await createProject(manager, 'demo');
        demo = first.project;
        changes.push({ ...subjectOf('project.created', demo), details: { admin: first.admin.email } });
      }
      const [member] = await manager.query<{ id: string; email: string }[]>(
        `SELECT id, email FROM auth.members WHERE project_id = $1 AND role = 'admin'
         ORDER BY created_at, id LIMIT 1`,
        [demo.id],
      );
      if (member) {
        const project_id = demo.id;
        await manager.insert(Key, { ...admin, project_id, member_id: member.id });
        const key = { project_id, subject_id: admin.id, subject: member.email };
        changes.push({ action: 'key.created', ...key, details: { expires_at: null } });
      }
      await recordChanges(manager, INSTANCE, changes);
    });
  }

  private rowOf(key: string): Pick<Key, 'id' | 'secret_hash' | 'created_at' | 'revision'> {
    const { KEY_SECRET } = this.config;
    return {
      id: keyIdOf(key) ?? idOfForeignKey(KEY_SECRET, key),
      secret_hash: hashOf(KEY_SECRET, key),
      created_at: new Date(),
      revision: '0',
    };
  }
}

/** A key that outlives a change of `KEY_SECRET` is the same key under another hash; a revoked one stays worth nothing. */
async function rehash(
  manager: EntityManager,
  { id, secret_hash }: Pick<Key, 'id' | 'secret_hash'>,
  revision: string,
): Promise<void> {
  await manager
    .createQueryBuilder()
    .update(Key)
    .set({ secret_hash, revision })
    .where('id = :id AND revoked_at IS NULL AND secret_hash <> :secret_hash', { id, secret_hash })
    .execute();
}
