import { type Connection } from 'pg';
import { projectsInScope } from '#contracts';
import { BoundedClient } from './bounded-client.js';
import { CutQuery, type CutQueryConfig, type DataRow, type QueryCallback } from './cut-query.js';

/** A custom setting of Postgres that the policies of `projectWall` read. */
export const PROJECTS_SETTING = 'flotilla.projects';

/** The `options` of a connection of its own for work on all projects, such as a feed. Never of a pool's. */
export const EVERY_PROJECT = `-c ${PROJECTS_SETTING}=every`;

const STATEMENT = 'flotilla_projects';
const PREPARE = `PREPARE ${STATEMENT} AS SELECT set_config('${PROJECTS_SETTING}', $1, true)`;

/**
 * A statement that brings the projects of its scope with it, in the same message: Postgres sets them for the one
 * transaction that the message is (or begins) and forgets them with it, so that no connection ever keeps them.
 */
export class ScopedQuery extends CutQuery {
  /** Taken where the statement was written: a pool that is busy sends it from somewhere else. */
  private readonly projects = settingOf(projectsInScope());
  private isScopeSet = false;

  constructor(config: string | CutQueryConfig, values?: unknown[], callback?: QueryCallback) {
    super(config, values, callback);
    this.queryMode = 'extended';
  }

  override prepare(connection: Connection): void {
    connection.bind({ statement: STATEMENT, values: [this.projects] }, true);
    connection.execute({}, true);
    super.prepare(connection);
  }

  override handleDataRow(message: DataRow): void {
    if (this.isScopeSet) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.isScopeSet) super.handleCommandComplete(message, connection);
    this.isScopeSet = true;
  }
}

/**
 * A connection on which no statement goes without the projects of its scope: alone it brings them, and so does the
 * one that begins a transaction.
 */
export class ProjectClient extends BoundedClient {
  /** To be run once, before anything else but `requireDurability`. */
  async prepare(): Promise<void> {
    await super.query(PREPARE);
  }

  override query(...[config, values, callback]: unknown[]): never {
    const send = super.query.bind(this) as (...query: unknown[]) => never;
    if (config instanceof ScopedQuery || this.getTransactionStatus() !== 'I') {
      return send(config, values, callback);
    }
    if (typeof config === 'object' && config && 'submit' in config) {
      throw new Error('A cursor brings no projects with it: open it in a transaction');
    }
    return new Promise((resolve, reject) => {
      const done: QueryCallback = (error, result) => (error ? reject(error) : resolve(result));
      send(new ScopedQuery(config as string | CutQueryConfig, values as unknown[], done));
    }) as never;
  }
}

function settingOf(projects: ReturnType<typeof projectsInScope>): string {
  return projects === 'every' ? projects : `{${projects.map((id) => JSON.stringify(id)).join()}}`;
}
