import { withClient } from './bench.js';

/** Registers the devices `<prefix>0` to `<prefix><count - 1>` of a project, past the product. */
export function registerDevices(
  database_url: string,
  project_id: string,
  prefix: string,
  count: number,
): Promise<void> {
  return withClient(database_url, async (client) => {
    await client.query(
      `INSERT INTO auth.devices (project_id, id, labels, created_at, version)
       SELECT $1, $2 || number, '{}', now(), 1 FROM generate_series(0, $3::int - 1) AS number`,
      [project_id, prefix, count],
    );
    await client.query('VACUUM (ANALYZE) auth.devices');
  });
}
