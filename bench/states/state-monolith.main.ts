import { Body, Controller, Injectable, Param, Patch } from '@nestjs/common';
import { StateReport, type ReportedState } from '#contracts';
import { Database } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { ENTITIES, SCHEMA } from '../../apps/device-state/src/device-state.entity.js';
import { isSameJson, type JsonObject } from '../../apps/device-state/src/json-equality.js';
import { mergePatch } from '../../apps/device-state/src/merge-patch.js';
import { Project } from '../baselines/key.guard.js';
import { serveMonolith } from '../baselines/monolith.js';

const LOCK = `SELECT version::int, current, duplicates::int, entries::int, updated_at FROM device_state.states
  WHERE project_id = $1 AND device_id = $2 FOR UPDATE`;

const SAVE = `INSERT INTO device_state.states
  (project_id, device_id, version, current, duplicates, entries, first_seen_at, last_seen_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
  ON CONFLICT (project_id, device_id) DO UPDATE SET version = EXCLUDED.version, current = EXCLUDED.current,
    duplicates = EXCLUDED.duplicates, entries = EXCLUDED.entries, last_seen_at = EXCLUDED.last_seen_at,
    updated_at = EXCLUDED.updated_at`;

const ADD = `INSERT INTO device_state.history
  (project_id, device_id, recorded_at, entry, id, operation, result, version, patch, data, updated_at, timestamp, clock, key_id)
  VALUES ($1, $2, $3, $4, $5, 'merge', 'applied', $6, $7, $8, $3, $3, 'server', $9)`;

interface StateRow {
  version: number;
  current: JsonObject | null;
  duplicates: number;
  entries: number;
  updated_at: string | null;
}

/** A report as one would write it: lock the row, merge, update it, add to its history; a transaction for each. */
@Injectable()
class ReportTransaction {
  constructor(private readonly database: Database) {}

  report(project_id: string, device_id: string, data: JsonObject): Promise<ReportedState> {
    return this.database.transaction(async (manager) => {
      const [row] = await manager.query<StateRow[]>(LOCK, [project_id, device_id]);
      const before = row ?? { version: 0, current: null, duplicates: 0, entries: 0, updated_at: null };
      const current = mergePatch(before.current ?? undefined, data);
      const now = new Date().toISOString();
      const isSame = before.current !== null && isSameJson(before.current, current);
      const version = before.version + (isSame ? 0 : 1);
      const entries = before.entries + (isSame ? 0 : 1);
      const duplicates = before.duplicates + (isSame ? 1 : 0);
      const updated_at = isSame ? before.updated_at! : now;
      const text = JSON.stringify(current);
      await manager.query(SAVE, [project_id, device_id, version, text, duplicates, entries, now, updated_at]);
      if (!isSame) {
        const patch = JSON.stringify(data);
        await manager.query(ADD, [
          project_id,
          device_id,
          now,
          entries,
          uuidv7(),
          version,
          patch,
          text,
          uuidv7(),
        ]);
      }
      const result = isSame ? 'duplicate' : 'applied';
      return { data: { current }, version, result, duplicates, updated_at };
    });
  }
}

@Controller('v1/devices/:device_id/state')
class MonolithController {
  constructor(private readonly transaction: ReportTransaction) {}

  @Patch()
  report(
    @Param('device_id') device_id: string,
    @Body() { data }: StateReport,
    @Project() project_id: string,
  ): Promise<ReportedState> {
    return this.transaction.report(project_id, device_id, data as JsonObject);
  }
}

await serveMonolith(
  { schema: SCHEMA, entities: ENTITIES },
  { controllers: [MonolithController], providers: [ReportTransaction] },
);
