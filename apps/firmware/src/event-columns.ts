/** Of `firmware_events`, those that make a `FirmwareEvent`. */
export const COLUMNS = ['id', 'device_id', 'firmware', 'status', 'timestamp', 'created_at'] as const;
