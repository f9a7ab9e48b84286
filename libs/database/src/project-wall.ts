import { PROJECTS_SETTING } from './project-client.js';

const SETTING = `current_setting('${PROJECTS_SETTING}', true)`;
const NAMED = `nullif(nullif(${SETTING}, 'every'), '')::uuid[]`;

/** In subqueries, so that the setting is read once a statement and not once a row. */
function inScope(column: string): string {
  return `(SELECT ${SETTING} = 'every') OR "${column}" = ANY ((SELECT ${NAMED})::uuid[])`;
}

/**
 * Statements for a migration that put the second wall around tables: whatever a statement of the service forgets to
 * say, it sees and writes rows of the projects in scope, and none without any. `rights` are what the service may do
 * with each table, e.g. `{ events: 'SELECT, INSERT' }`; `column` holds the project. Partitions can be reached through
 * their table only. The owner, who migrates and maintains, is let through by a policy of its own.
 */
export function projectWall(schema: string, rights: Record<string, string>, column = 'project_id'): string[] {
  return Object.entries(rights).flatMap(([name, may]) => {
    const table = `"${schema}"."${name}"`;
    return [
      `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
      `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
      `CREATE POLICY "in_scope" ON ${table} TO "${schema}" USING (${inScope(column)})`,
      `CREATE POLICY "owner" ON ${table} TO CURRENT_USER USING (true)`,
      ...only(may, schema, name),
    ];
  });
}

/** Undoes `projectWall`. */
export function withoutProjectWall(schema: string, tables: string[]): string[] {
  return tables.flatMap((name) => {
    const table = `"${schema}"."${name}"`;
    return [
      `DROP POLICY "in_scope" ON ${table}`,
      `DROP POLICY "owner" ON ${table}`,
      `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`,
      `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
      ...only('SELECT, INSERT, UPDATE, DELETE', schema, name),
    ];
  });
}

/**
 * Statements for a migration that make the view `<table>_in_scope`: the same rows of a walled table, to be searched by
 * operators that Postgres does not hold to be leakproof (ILIKE, @>). Behind a policy it gives those neither an index
 * nor statistics, as they might tell of rows before the policy has hidden them; in a view of the owner's it does, as
 * long as the owner's own way to the table has no policy on it.
 */
export function searchableInScope(schema: string, table: string): string[] {
  const view = `${table}_in_scope`;
  return [
    `ALTER TABLE "${schema}"."${table}" NO FORCE ROW LEVEL SECURITY`,
    `CREATE VIEW "${schema}"."${view}" AS SELECT * FROM "${schema}"."${table}" WHERE ${inScope('project_id')}`,
    ...only('SELECT', schema, view),
  ];
}

function only(rights: string, schema: string, table: string): string[] {
  return [
    `REVOKE ALL ON "${schema}"."${table}" FROM "${schema}"`,
    `GRANT ${rights} ON "${schema}"."${table}" TO "${schema}"`,
  ];
}
