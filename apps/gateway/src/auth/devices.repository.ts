import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure } from '#contracts';
import { Database, type Condition } from '#database';
import { Device, Project } from './auth.entity.js';
import { conflictIfTaken } from './conflict-if-taken.js';
import { walkList } from './list-walk.js';
import { type DeviceView, type ListQuery, type NewDevice } from './resources.js';

export interface DeviceFilter {
  project_id: string;
  id?: string;
  /** It has one of these. */
  labels?: Record<string, string>[];
}

@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

  /**
   * In the order of their ids, so that those who register the same devices elsewhere at this moment never wait in a
   * circle. @returns those that were not there already
   */
  async insert(manager: EntityManager, project_id: string, devices: NewDevice[]): Promise<Device[]> {
    const created_at = new Date();
    const rows = devices
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map(({ id, name = null, labels = {} }) => ({ project_id, id, name, labels, created_at, version: 1 }));
    const insert = manager.createQueryBuilder().insert().into(Device).values(rows);
    // What is returned is not of as many devices, and would be written into the first of them.
    const result = await insert.orIgnore().returning('id').updateEntity(false).execute();
    const added = new Set((result.raw as { id: string }[]).map(({ id }) => id));
    return rows.filter(({ id }) => added.has(id));
  }

  /** @throws Failure `not_found` */
  async find(manager: EntityManager, project_id: string, id: string, forUpdate = false): Promise<Device> {
    const device = await manager.findOne(Device, {
      where: { project_id, id },
      ...(forUpdate && { lock: { mode: 'pessimistic_write' } }),
    });
    if (!device) throw new Failure('not_found');
    return device;
  }

  /**
   * Ids are unique in a project only: the operator must say which project when several have the device. Deleted projects
   * have none.
   */
  async findOnly(manager: EntityManager, id: string, project_id?: string): Promise<Device> {
    const devices = await manager
      .createQueryBuilder(Device, 'device')
      .innerJoin(Project, 'project', 'project.id = device.project_id AND project.deleted_at IS NULL')
      .where(project_id === undefined ? { id } : { id, project_id })
      .setLock('pessimistic_write', undefined, ['device'])
      .limit(2)
      .getMany();
    if (devices.length === 0) throw new Failure('not_found');
    if (devices.length > 1) {
      throw new Failure(
        'conflict',
        'Several projects have a device of this id: say which with ?from_project_id=',
      );
    }
    return devices[0]!;
  }

  walk({ project_id, id, labels }: DeviceFilter, query: ListQuery): AsyncGenerator<DeviceView[]> {
    // The view has the same rows, by a way that lets Postgres use the index on labels: decision 60.
    const table = labels ? 'devices_in_scope' : 'devices';
    const select = `SELECT id, name, labels, created_at FROM auth.${table}`;
    const conditions: Condition[] = [
      ['project_id = ?', project_id],
      ['id = ?', id],
      ['labels @> ANY(?)', labels],
    ];
    return walkList(this.database, select, conditions, query, 'text');
  }

  async save(manager: EntityManager, device: Device): Promise<void> {
    await manager.save(device);
  }

  /** @throws Failure `conflict` when the other project has a device of this id already */
  async move(manager: EntityManager, { project_id, id }: Device, to_project_id: string): Promise<void> {
    await manager
      .update(Device, { project_id, id }, { project_id: to_project_id })
      .catch(conflictIfTaken('The other project has a device of this id already'));
  }

  async delete(manager: EntityManager, { project_id, id }: Device): Promise<void> {
    await manager.delete(Device, { project_id, id });
  }
}
