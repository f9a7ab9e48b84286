import { Injectable } from '@nestjs/common';
import { DEFAULT_LIMIT, Reply, type AuditAction } from '#contracts';
import { Database, listReply, pageOf } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { changesOfFields, type ChangeSubject } from './audit-trail.js';
import { Project } from './auth.entity.js';
import { AuthWrites, checkVersion } from './auth-writes.js';
import { mintKey } from './key-format.js';
import { KeysRepository } from './keys.repository.js';
import { placeOf } from './list-walk.js';
import { ProjectsRepository } from './projects.repository.js';
import { type RequestContext } from './request-context.js';
import {
  type CreatedProject,
  type ListQuery,
  type NewProject,
  type ProjectPage,
  type ProjectView,
} from './resources.js';
import { Revisions } from './revisions.js';

@Injectable()
export class ProjectsService {
  constructor(
    private readonly database: Database,
    private readonly writes: AuthWrites,
    private readonly projects: ProjectsRepository,
    private readonly keys: KeysRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  create(request: NewProject, context: RequestContext): Promise<Reply<CreatedProject>> {
    return this.writes.once<CreatedProject>(context, async (manager) => {
      const { project, admin } = await this.projects.insert(manager, request.name);
      const admin_key = mintKey(this.config.KEY_SECRET, 'member');
      await this.keys.insert(manager, admin_key, { project_id: project.id, member_id: admin.id }, null);
      const details = { admin: admin.email, key_id: admin_key.id };
      const changes = [{ ...subjectOf('project.created', project), details }];
      return { body: { ...viewOf(project), admin_key }, version: project.version, changes };
    });
  }

  async page(query: ListQuery): Promise<Reply<ProjectPage>> {
    const { limit = DEFAULT_LIMIT } = query;
    return listReply('projects', await pageOf(this.projects.walk(query), limit, JSON.stringify, placeOf));
  }

  async get(id: string): Promise<Reply<ProjectView>> {
    const project = await this.database.read((manager) => this.projects.find(manager, id));
    return Reply.of(viewOf(project), { version: String(project.version) });
  }

  rename(
    id: string,
    { name }: NewProject,
    context: RequestContext,
    if_match?: string,
  ): Promise<Reply<ProjectView>> {
    return this.writes.once<ProjectView>(context, async (manager) => {
      const project = await this.projects.find(manager, id, true);
      checkVersion(project.version, if_match);
      const changes = changesOfFields(subjectOf('project.changed', project), project, { name });
      project.name = name;
      await this.projects.save(manager, project);
      return { body: viewOf(project), version: project.version, changes };
    });
  }

  /** What was written to it stays, and nobody can reach it any more: its keys are worth nothing, without a write to each. */
  async delete(id: string, context: RequestContext, if_match?: string): Promise<void> {
    await this.writes.once<never>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const project = await this.projects.find(manager, id, true);
      checkVersion(project.version, if_match);
      project.deleted_at = new Date();
      project.revision = revision;
      await this.projects.save(manager, project);
      return { body: null, revision, changes: [{ ...subjectOf('project.deleted', project), details: {} }] };
    });
  }
}

export function subjectOf(action: AuditAction, { id, name }: Project): ChangeSubject {
  return { action, project_id: id, subject_id: id, subject: name };
}

function viewOf({ id, name, created_at }: Project): ProjectView {
  return { id, name, created_at: created_at.toISOString() };
}
