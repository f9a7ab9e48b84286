import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Failure } from '#contracts';
import { Database } from '#database';
import { Member, Project } from './auth.entity.js';
import { walkList } from './list-walk.js';
import { type ListQuery, type ProjectView } from './resources.js';

/** The first admin of a project; RFC 2606 keeps the address from ever being anybody's. */
const FIRST_ADMIN = { email: 'admin@project.invalid', name: 'admin', role: 'admin' } as const;

@Injectable()
export class ProjectsRepository {
  constructor(private readonly database: Database) {}

  /** With its first admin. */
  async insert(manager: EntityManager, name: string): Promise<{ project: Project; admin: Member }> {
    const created_at = new Date();
    const project = manager.create(Project, { id: uuidv7(), name, created_at, deleted_at: null });
    const admin = manager.create(Member, {
      ...FIRST_ADMIN,
      id: uuidv7(),
      project_id: project.id,
      created_at,
    });
    await manager.save(project);
    await manager.save(admin);
    return { project, admin };
  }

  /** @throws Failure `not_found` also for a deleted one */
  async find(manager: EntityManager, id: string, forUpdate = false): Promise<Project> {
    const project = await manager.findOne(Project, {
      where: { id },
      ...(forUpdate && { lock: { mode: 'pessimistic_write' } }),
    });
    if (!project || project.deleted_at) throw new Failure('not_found');
    return project;
  }

  walk(query: ListQuery): AsyncGenerator<ProjectView[]> {
    const select = 'SELECT id, name, created_at FROM auth.projects';
    return walkList(this.database, select, [['deleted_at IS NULL', null]], query);
  }

  async save(manager: EntityManager, project: Project): Promise<void> {
    await manager.save(project);
  }
}
