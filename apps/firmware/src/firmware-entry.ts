import { type FirmwareEntry, type FirmwareEvent } from '#contracts';

/** A `FirmwareEntry`. */
export function firmwareEntryJson(event: FirmwareEvent): string {
  const { id, timestamp, device_id, firmware, status, created_at } = event;
  const entry: FirmwareEntry = {
    kind: 'firmware',
    id,
    at: timestamp,
    device_id,
    firmware,
    status,
    created_at,
  };
  return JSON.stringify(entry);
}
