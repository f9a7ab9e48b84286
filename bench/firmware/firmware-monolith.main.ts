import { Body, Controller, Injectable, Param, Post } from '@nestjs/common';
import { NewFirmwareEvent, type FirmwareReceipt } from '#contracts';
import { Database } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { ENTITIES, SCHEMA } from '../../apps/firmware/src/firmware.entity.js';
import { Project } from '../baselines/key.guard.js';
import { serveMonolith } from '../baselines/monolith.js';

const LOCK = 'SELECT FROM firmware.devices WHERE project_id = $1 AND device_id = $2 FOR UPDATE';

const ADD = `INSERT INTO firmware.firmware_events
  (project_id, device_id, timestamp, id, firmware, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $3)`;

const SAVE = `INSERT INTO firmware.devices AS kept
  (project_id, device_id, newest_id, newest_firmware, newest_status, newest_timestamp, newest_created_at,
   current_id, current_firmware, current_since)
  VALUES ($1, $2, $4, $5, $6, $3, $3, CASE WHEN $7 THEN $4::uuid END, CASE WHEN $7 THEN $5 END, CASE WHEN $7 THEN $3::timestamptz END)
  ON CONFLICT (project_id, device_id) DO UPDATE SET
    newest_id = EXCLUDED.newest_id, newest_firmware = EXCLUDED.newest_firmware, newest_status = EXCLUDED.newest_status,
    newest_timestamp = EXCLUDED.newest_timestamp, newest_created_at = EXCLUDED.newest_created_at,
    current_id = coalesce(EXCLUDED.current_id, kept.current_id),
    current_firmware = coalesce(EXCLUDED.current_firmware, kept.current_firmware),
    current_since = coalesce(EXCLUDED.current_since, kept.current_since)`;

/** An event as one would write it: lock the device, add the event, remember what it runs. Adoption it counts on demand. */
@Injectable()
class FirmwareTransaction {
  constructor(private readonly database: Database) {}

  record(
    project_id: string,
    device_id: string,
    { firmware, status }: NewFirmwareEvent,
  ): Promise<FirmwareReceipt> {
    return this.database.transaction(async (manager) => {
      await manager.query(LOCK, [project_id, device_id]);
      const id = uuidv7();
      const timestamp = new Date().toISOString();
      const event = [project_id, device_id, timestamp, id, firmware, status];
      await manager.query(ADD, event);
      await manager.query(SAVE, [...event, status === 'installed' || status === 'updated']);
      return { id, device_id, firmware, status, timestamp, created_at: timestamp, result: 'applied' };
    });
  }
}

@Controller('v1/devices/:device_id/firmware')
class MonolithController {
  constructor(private readonly transaction: FirmwareTransaction) {}

  @Post()
  record(
    @Param('device_id') device_id: string,
    @Body() event: NewFirmwareEvent,
    @Project() project_id: string,
  ): Promise<FirmwareReceipt> {
    return this.transaction.record(project_id, device_id, event);
  }
}

await serveMonolith(
  { schema: SCHEMA, entities: ENTITIES },
  { controllers: [MonolithController], providers: [FirmwareTransaction] },
);
