export interface PartitionedTable {
  schema: string;
  table: string;
  /** The timestamptz column that decides the month. */
  column: string;
}

/**
 * Statements for a migration, run after `CREATE TABLE … PARTITION BY RANGE (column)`. Every instant has a
 * partition: `<table>_past`, one for each month from the current one on, and `<table>_future`. The function
 * `maintain_<table>(keep interval)` adds the months to come and, unless `keep` is null, drops those that are
 * over. It runs with its owner's rights: the service's own role may not change tables.
 */
export function monthlyPartitions({ schema, table, column }: PartitionedTable): string[] {
  const parent = `"${schema}"."${table}"`;
  return [
    `DO $$
     DECLARE month date := date_trunc('month', now() AT TIME ZONE 'UTC');
     BEGIN
       EXECUTE format('CREATE TABLE "${schema}"."${table}_past" PARTITION OF ${parent}
                       FOR VALUES FROM (MINVALUE) TO (%L)', month || ' 00:00:00Z');
       EXECUTE format('CREATE TABLE "${schema}"."${table}_future" PARTITION OF ${parent}
                       FOR VALUES FROM (%L) TO (MAXVALUE)', month || ' 00:00:00Z');
     END $$`,
    maintenance({ schema, table, column }),
    `SELECT "${schema}"."maintain_${table}"(NULL)`,
  ];
}

/**
 * The statement that makes `maintain_<table>`, or brings it up to date. Whatever it makes can be reached through the
 * table only: the policies of the table do not hold for a partition that is asked by its own name.
 */
export function maintenance({ schema, table, column }: PartitionedTable): string {
  const parent = `"${schema}"."${table}"`;
  return `CREATE OR REPLACE FUNCTION "${schema}"."maintain_${table}"(keep interval) RETURNS void
   LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
   DECLARE
     this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
     last_month date := this_month + interval '2 months';
     horizon date;
     partition text;
     has_dropped boolean;
   BEGIN
     PERFORM pg_advisory_xact_lock(hashtext('maintain ${schema}.${table}'));
     SELECT coalesce(max(to_date(right(relname, 7), 'YYYY_MM')) + interval '1 month', this_month) INTO horizon
     FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace AND relname ~ '^${table}_\\d{4}_\\d\\d$';
     IF horizon < last_month THEN
       ALTER TABLE ${parent} DETACH PARTITION "${schema}"."${table}_future";
       WHILE horizon < last_month LOOP
         EXECUTE format('CREATE TABLE "${schema}".%I PARTITION OF ${parent} FOR VALUES FROM (%L) TO (%L)',
           '${table}_' || to_char(horizon, 'YYYY_MM'),
           horizon || ' 00:00:00Z', (horizon + interval '1 month')::date || ' 00:00:00Z');
         horizon := horizon + interval '1 month';
       END LOOP;
       WITH due AS (
         DELETE FROM "${schema}"."${table}_future"
         WHERE "${column}" < (horizon::timestamp AT TIME ZONE 'UTC') RETURNING *
       ) INSERT INTO ${parent} SELECT * FROM due;
       EXECUTE format('ALTER TABLE ${parent} ATTACH PARTITION "${schema}"."${table}_future"
                       FOR VALUES FROM (%L) TO (MAXVALUE)', horizon || ' 00:00:00Z');
     END IF;

     -- Nothing is over by a keep of null.
     FOR partition IN
       SELECT relname FROM pg_class
       WHERE relnamespace = '"${schema}"'::regnamespace AND relkind = 'r' AND relname ~ '^${table}_\\d{4}_\\d\\d$'
         AND ((to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC') <= now() - keep
     LOOP
       EXECUTE format('DROP TABLE "${schema}".%I', partition);
     END LOOP;
     has_dropped := FOUND;
     SELECT min(to_date(right(relname, 7), 'YYYY_MM')) INTO horizon
     FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace AND relname ~ '^${table}_\\d{4}_\\d\\d$';
     IF (horizon::timestamp AT TIME ZONE 'UTC') <= now() - keep THEN
       -- Locks out all who read or write, so only when there is something to change.
       IF has_dropped OR EXISTS (SELECT FROM "${schema}"."${table}_past") THEN
         DROP TABLE "${schema}"."${table}_past";
         EXECUTE format('CREATE TABLE "${schema}"."${table}_past" PARTITION OF ${parent}
                         FOR VALUES FROM (MINVALUE) TO (%L)', horizon || ' 00:00:00Z');
       END IF;
     END IF;

     FOR partition IN
       SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid
       WHERE inhparent = '${parent}'::regclass AND has_table_privilege('${schema}', oid, 'SELECT')
     LOOP
       EXECUTE format('REVOKE ALL ON "${schema}".%I FROM "${schema}"', partition);
     END LOOP;
   END $$`;
}
