/** A table that is kept by the month. */
export interface PartitionedTable {
  schema: string;
  table: string;
  /** The timestamptz column that decides the month. */
  column: string;
}

/**
 * Statements for a migration, run after `CREATE TABLE … PARTITION BY RANGE (column)`. Every instant has a
 * partition: `<table>_past`, one for each month from the current one on, and `<table>_future`. The function
 * `drop_past_<table>(keep interval)` drops the months that are over, none when `keep` is null;
 * `maintain_<table>(keep interval)` adds the months to come, and then does the same. Both do nothing while another is at
 * it. They run with their owner's rights: the service's own role may not change tables.
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
    ...maintenance({ schema, table, column }),
    `SELECT "${schema}"."maintain_${table}"(NULL)`,
  ];
}

/**
 * The statements that make `drop_past_<table>` and `maintain_<table>`, or bring them up to date. Whatever they make can be
 * reached through the table only: the policies of the table do not hold for a partition that is asked by its own name.
 */
export function maintenance(table: PartitionedTable): string[] {
  return [dropping(table), adding(table)];
}

function dropping({ schema, table }: PartitionedTable): string {
  return `CREATE OR REPLACE FUNCTION "${schema}"."drop_past_${table}"(keep interval) RETURNS void
   LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
   DECLARE
     partition text;
     has_dropped boolean;
     oldest date;
   BEGIN
     IF NOT ${turn(schema, table)} THEN RETURN; END IF;
     -- The newest stays until there is a newer one: between past and future no instant is without a partition.
     FOR partition IN
       SELECT relname FROM (
         SELECT relname FROM ${months(schema, table)} ORDER BY relname DESC OFFSET 1
       ) AS earlier
       WHERE ((to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC') <= now() - keep
     LOOP
       EXECUTE format('DROP TABLE "${schema}".%I', partition);
     END LOOP;
     has_dropped := FOUND;
     SELECT min(to_date(right(relname, 7), 'YYYY_MM')) INTO oldest FROM ${months(schema, table)};
     IF (oldest::timestamp AT TIME ZONE 'UTC') <= now() - keep THEN
       -- Locks out all who read or write, so only when there is something to change.
       IF has_dropped OR EXISTS (SELECT FROM "${schema}"."${table}_past") THEN
         DROP TABLE "${schema}"."${table}_past";
         EXECUTE format('CREATE TABLE "${schema}"."${table}_past" PARTITION OF "${schema}"."${table}"
                         FOR VALUES FROM (MINVALUE) TO (%L)', oldest || ' 00:00:00Z');
         REVOKE ALL ON "${schema}"."${table}_past" FROM "${schema}";
       END IF;
     END IF;
   END $$`;
}

function adding({ schema, table, column }: PartitionedTable): string {
  const parent = `"${schema}"."${table}"`;
  const future = `"${schema}"."${table}_future"`;
  return `CREATE OR REPLACE FUNCTION "${schema}"."maintain_${table}"(keep interval) RETURNS void
   LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
   DECLARE
     this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
     horizon date;
     missing date[];
     month date;
     partition text;
   BEGIN
     IF NOT ${turn(schema, table)} THEN RETURN; END IF;
     SELECT coalesce(max(to_date(right(relname, 7), 'YYYY_MM')) + interval '1 month', this_month) INTO horizon
     FROM ${months(schema, table)};
     missing := ARRAY(SELECT generate_series(horizon, this_month + interval '1 month', interval '1 month')::date);
     IF missing <> '{}' THEN
       -- Filled while they are not yet of the table: that may take minutes, and locks nobody out.
       FOREACH month IN ARRAY missing LOOP
         horizon := month + interval '1 month';
         partition := format('"${schema}".%I', '${table}_' || to_char(month, 'YYYY_MM'));
         EXECUTE format('CREATE TABLE %s (LIKE ${parent} INCLUDING ALL)', partition);
         EXECUTE format('WITH due AS (
                           DELETE FROM ${future} WHERE "${column}" >= %L AND "${column}" < %L RETURNING *
                         ) INSERT INTO %s SELECT * FROM due', month || ' 00:00:00Z', horizon || ' 00:00:00Z', partition);
       END LOOP;
       -- From here on it locks all out.
       ALTER TABLE ${parent} DETACH PARTITION ${future};
       FOREACH month IN ARRAY missing LOOP
         partition := format('"${schema}".%I', '${table}_' || to_char(month, 'YYYY_MM'));
         EXECUTE format('ALTER TABLE ${parent} ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', partition,
           month || ' 00:00:00Z', (month + interval '1 month')::date || ' 00:00:00Z');
       END LOOP;
       -- What came while they were filled.
       WITH due AS (
         DELETE FROM ${future} WHERE "${column}" < (horizon::timestamp AT TIME ZONE 'UTC') RETURNING *
       ) INSERT INTO ${parent} SELECT * FROM due;
       EXECUTE format('ALTER TABLE ${parent} ATTACH PARTITION ${future} FOR VALUES FROM (%L) TO (MAXVALUE)',
         horizon || ' 00:00:00Z');
     END IF;

     FOR partition IN
       SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid
       WHERE inhparent = '${parent}'::regclass AND has_table_privilege('${schema}', oid, 'SELECT')
     LOOP
       EXECUTE format('REVOKE ALL ON "${schema}".%I FROM "${schema}"', partition);
     END LOOP;

     PERFORM "${schema}"."drop_past_${table}"(keep);
   END $$`;
}

/** Whether this transaction is the one that changes the partitions, as it then is until it ends. */
function turn(schema: string, table: string): string {
  return `pg_try_advisory_xact_lock(hashtext('maintain ${schema}.${table}'))`;
}

function months(schema: string, table: string): string {
  return `pg_class
     WHERE relnamespace = '"${schema}"'::regnamespace AND relkind = 'r' AND relname ~ '^${table}_\\d{4}_\\d\\d$'`;
}
