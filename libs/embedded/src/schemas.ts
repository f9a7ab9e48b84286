import { createHmac } from 'node:crypto';
import { Client } from 'pg';

export interface SchemaUrls {
  /** As the role that owns the schema: for migrations. */
  owner: string;
  /** As the role of the running service: may use the tables, may not change them. */
  service: string;
}

/**
 * Makes a service's place in a database: its schema, the role that owns it, and the role it runs as, which can
 * use what the schema holds and nothing else. Repeatable. `admin_url` must be allowed to create roles; passwords
 * that are not told follow from the administrator's, so that whoever has that one can start services anew.
 * @throws an Error where they would have to, and the administrator has none
 */
export async function prepareSchema(
  admin_url: string,
  schema: string,
  service_password?: string,
  owner_password?: string,
): Promise<SchemaUrls> {
  const admin = new Client({ connectionString: admin_url });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
    const database = admin.escapeIdentifier(rows[0]!.name);
    const owner = `${schema}_owner`;
    const urls = {
      owner: urlFor(admin_url, owner, owner_password ?? passwordFor(owner, admin.password)),
      service: urlFor(admin_url, schema, service_password ?? passwordFor(schema, admin.password)),
    };
    await admin.query('BEGIN');
    await admin.query("SELECT pg_advisory_xact_lock(hashtext('flotilla prepare'))");
    for (const url of [urls.owner, urls.service]) {
      const { username, password } = new URL(url);
      const known = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [username]);
      const verb = known.rowCount ? 'ALTER' : 'CREATE';
      await admin.query(
        `${verb} ROLE ${admin.escapeIdentifier(username)} LOGIN PASSWORD ${admin.escapeLiteral(decodeURIComponent(password))}`,
      );
      await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${admin.escapeIdentifier(username)}`);
    }
    await admin.query('CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public');
    await admin.query('CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public');
    await admin.query(`GRANT "${schema}_owner" TO CURRENT_USER`);
    await admin.query(`CREATE SCHEMA IF NOT EXISTS "${schema}" AUTHORIZATION "${schema}_owner"`);
    await admin.query(`GRANT USAGE ON SCHEMA "${schema}" TO "${schema}"`);
    await admin.query(
      `ALTER DEFAULT PRIVILEGES FOR ROLE "${schema}_owner" IN SCHEMA "${schema}"
       GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "${schema}"`,
    );
    await admin.query(
      `ALTER DEFAULT PRIVILEGES FOR ROLE "${schema}_owner" IN SCHEMA "${schema}" GRANT EXECUTE ON FUNCTIONS TO "${schema}"`,
    );
    await admin.query('COMMIT');
    return urls;
  } finally {
    await admin.end();
  }
}

function urlFor(admin_url: string, role: string, password: string): string {
  const url = new URL(admin_url);
  url.username = role;
  url.password = encodeURIComponent(password);
  return url.href;
}

/** Of the administrator's, wherever the driver has it from. What else there is of an address is no secret. */
function passwordFor(role: string, admin_password: string | undefined): string {
  if (!admin_password)
    throw new Error(
      'DATABASE_URL needs a password, even if the server asks for none: those of the services’ roles follow from it',
    );
  return createHmac('sha256', admin_password).update(role).digest('hex');
}
