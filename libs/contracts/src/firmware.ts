import { contract } from './call.js';
import { ApiProperty } from './documentation.js';
import { CursorField, DeviceId, Limit, Moment, Order, SemVer, Timestamp, Word } from './fields.js';

/** What a device says about a version of its firmware. */
export class NewFirmwareEvent {
  @SemVer({ description: 'The version it is about.' })
  firmware!: string;

  @Word({
    description: 'What became of it. After installed and updated, the device runs it.',
    example: 'installed',
  })
  status!: string;

  @Timestamp({
    optional: true,
    ahead_ms: 3_600_000,
    description:
      'When, by the device’s clock. Unless told: when it is received, and after all that the device said before.',
  })
  timestamp?: string;
}

/** A firmware event as it was recorded. Events never change. */
export class FirmwareEvent {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() device_id!: string;
  @ApiProperty() firmware!: string;
  @ApiProperty() status!: string;
  @ApiProperty({ format: 'date-time' }) timestamp!: string;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

const RESULTS = ['applied', 'duplicate'] as const;

/** The event that a report has become, or that it repeats. */
export class FirmwareReceipt extends FirmwareEvent {
  @ApiProperty({ enum: RESULTS, description: 'duplicate: it was here already, this is the first.' })
  result!: (typeof RESULTS)[number];
}

/** Which events of a device. Times are those of `timestamp`. */
export class FirmwareQuery {
  @Word({ optional: true }) status?: string;
  @Moment({ description: 'From this time on.' }) from?: string;
  @Moment({ description: 'Before this time.' }) to?: string;
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** The firmware events of this device. */
export class DeviceFirmwareQuery extends FirmwareQuery {
  @DeviceId() device_id!: string;
}

/** Events in the order that was asked for; `next_cursor` is null on the last page. */
export class FirmwarePage {
  @ApiProperty({ type: [FirmwareEvent] }) firmware_events!: FirmwareEvent[];
  @ApiProperty({ type: String, nullable: true, description: 'What the device runs now.' })
  current_firmware!: string | null;
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** The device whose version is asked for. */
export class FirmwareOwner {
  @DeviceId() device_id!: string;
}

/** The version that a device runs; null before it has said one. */
export class CurrentFirmware {
  @ApiProperty({ type: String, nullable: true }) firmware!: string | null;
}

/** The time of which the versions of a fleet are asked for. */
export class AdoptionQuery {
  @Moment({ description: 'As it was then, by the devices’ clocks; now unless told.' }) at?: string;
}

/** How many devices run one version. */
export class VersionAdoption {
  @ApiProperty() firmware!: string;
  @ApiProperty({ type: 'integer' }) devices!: number;
}

/** Which versions a fleet runs; the counts add up to `total`. */
export class Adoption {
  @ApiProperty({ type: 'integer', description: 'Devices that run any version.' }) total!: number;
  @ApiProperty({ type: [VersionAdoption] }) versions!: VersionAdoption[];
}

/**
 * Records an event of the calling device. The same event again (firmware, status and timestamp) is answered with
 * the first. Without a timestamp, the same is what repeats the newest event of the device: a retry, or a device
 * that says at each boot what it runs.
 */
export const recordFirmware = contract('firmware.record', NewFirmwareEvent, FirmwareReceipt);

/** A page of a device's events in the caller's project. `not_found` when it has reported nothing there. */
export const queryFirmware = contract('firmware.query', DeviceFirmwareQuery, FirmwarePage);

/** The version of the device's newest event, by its timestamp, that was `installed` or `updated`; null for none. */
export const getCurrentFirmware = contract('firmware.current', FirmwareOwner, CurrentFirmware);

/**
 * How many devices run which version, most devices first. Counts what devices have reported in this project,
 * also of those that have been removed or moved since.
 */
export const countAdoption = contract('firmware.adoption', AdoptionQuery, Adoption);
