import { queryDatabase } from '#testing';
import { type System } from './system.js';

/** The database as a restore leaves it: nobody knows of this key yet, and gateways have to connect anew. */
export async function goBackBefore({ database_url }: System, key_id: string): Promise<void> {
  await queryDatabase(database_url, 'DELETE FROM auth.keys WHERE id = $1', [key_id]);
  await queryDatabase(database_url, 'UPDATE auth.revision SET value = 1');
  await queryDatabase(
    database_url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'gateway lease'`,
  );
}
