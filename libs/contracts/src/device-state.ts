import { contract } from './call.js';
import { ApiProperty, ApiPropertyOptional } from './documentation.js';
import {
  CursorField,
  Timestamp,
  JsonDocument,
  Limit,
  Moment,
  NotWith,
  Order,
  Text,
  WholeNumber,
} from './fields.js';

/** Bounds of a state document, as JSON text and as depth. */
export const MAX_STATE_BYTES = 64 * 1024;
const STATE_DOCUMENT = { max_bytes: MAX_STATE_BYTES, max_depth: 32 };
const DAY_MS = 86_400_000;
const CENTURY_MS = 36_525 * 86_400_000;

/** What a device says about itself, and what tells a repeat of it from news. */
export class StateReport {
  @JsonDocument({
    ...STATE_DOCUMENT,
    description: 'What changed (RFC 7396), or all of it.',
    example: { on: true },
  })
  data!: Record<string, unknown>;

  @Timestamp({
    optional: true,
    ahead_ms: DAY_MS,
    description: 'When it was so, by the device’s clock.',
  })
  timestamp?: string;

  @WholeNumber({ min: 0, max: CENTURY_MS, optional: true, description: 'How long ago it was so, in ms.' })
  @NotWith('timestamp')
  age_ms?: number;

  @WholeNumber({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'The device’s own count of its reports.',
  })
  sequence?: number;

  @Text({
    max: 128,
    optional: true,
    description: 'Names the run of a device that counts from zero at each start.',
  })
  boot_id?: string;
}

/** What a device should become. */
export class DesiredState {
  @JsonDocument({ ...STATE_DOCUMENT, example: { on: false } })
  data!: Record<string, unknown>;
}

/** Versions that a write depends on, as the ETags of the state: `*` is any version at all. */
export class StateConditions {
  if_match?: string[];
  if_none_match?: string[];
}

/** A report on its way: about which device, under which conditions. */
export class DeviceReport extends StateReport {
  device_id!: string;
  /** `data` is the whole state instead of a patch. */
  replaces!: boolean;
  conditions?: StateConditions;
  /** When it came, by the clock of the gateway (RFC 3339, UTC): it may have waited since. Gateways of before do not say it. */
  received_at?: string;
}

/** A wish on its way: for which device, under which conditions; `replaces` as in a report. */
export class DeviceDesire extends DesiredState {
  device_id!: string;
  replaces!: boolean;
  conditions?: StateConditions;
}

/** The end of a device's state, under conditions on its version. */
export class StateRemoval {
  device_id!: string;
  conditions?: StateConditions;
}

/** What a device has reported, as it stands after its last report. */
export class CurrentData {
  @ApiProperty({ type: 'object', additionalProperties: true }) current!: Record<string, unknown>;
}

/** What a device has reported and what it is to become. */
export class StateData extends CurrentData {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  desired?: Record<string, unknown>;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What of desired current does not show; absent when it shows all.',
  })
  delta?: Record<string, unknown>;
}

/** What became of a report. */
export class ReportedState {
  @ApiProperty({ type: CurrentData }) data!: CurrentData;
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ enum: ['applied', 'duplicate', 'stale'] }) result!: 'applied' | 'duplicate' | 'stale';
  @ApiProperty({ type: 'integer' }) duplicates!: number;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

/** A device's state; at a time in the past, what history knows of it. */
export class DeviceStateView {
  @ApiProperty() device_id!: string;
  @ApiProperty({ type: StateData }) data!: StateData;
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) updated_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) first_seen_at!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    required: false,
    description: 'Not part of the ETag: a 304 may hide a newer one.',
  })
  last_seen_at?: string | null;
  @ApiProperty({ type: 'integer', required: false }) duplicates?: number;
}

/** The time of which a state is asked for. */
export class StateAt {
  @Moment({ description: 'The state as it was then; as it is now unless told.' }) at?: string;
}

/** The device whose state is asked for, and of when. */
export class StateOf extends StateAt {
  device_id!: string;
}

/** A page of a device's history, by `recorded_at`, whatever the clock of the device said. */
export class HistoryQuery {
  @Moment({ description: 'Recorded from this time on.' }) from?: string;
  @Moment({ description: 'Recorded before this time.' }) to?: string;
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** The history of this device. */
export class DeviceHistoryQuery extends HistoryQuery {
  device_id!: string;
}

/** A report that was applied or came too late, or a deletion. Entries never change. */
export class HistoryEntry {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ enum: ['merge', 'replace', 'delete'] }) operation!: 'merge' | 'replace' | 'delete';
  @ApiProperty({ enum: ['applied', 'stale'] }) result!: 'applied' | 'stale';
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, description: 'As it was sent.' })
  patch!: Record<string, unknown> | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The state after it.',
  })
  data!: Record<string, unknown> | null;
  @ApiProperty({ format: 'date-time' }) timestamp!: string;
  @ApiProperty({ format: 'date-time' }) recorded_at!: string;
  @ApiProperty({ enum: ['device', 'relative', 'server'], description: 'How `timestamp` was got.' })
  clock!: 'device' | 'relative' | 'server';
  @ApiProperty({ type: 'integer', nullable: true }) sequence!: number | null;
  @ApiProperty({ type: String, nullable: true }) boot_id!: string | null;
  @ApiProperty({ format: 'uuid', description: 'The key that wrote it.' }) key_id!: string;
}

/** Entries in the order that was asked for; `next_cursor` is null on the last page. */
export class HistoryPage {
  @ApiProperty({ type: [HistoryEntry] }) history!: HistoryEntry[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** Which states: all given conditions hold. */
export class FleetQuery {
  @Moment({ description: 'Only states that changed at this time or later.' }) updated_since?: string;
  @Moment({ description: 'The fleet as it was then; as it is now unless told.' }) at?: string;
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** The states of a fleet, or of its devices with one label. */
export class LabelledFleetQuery extends FleetQuery {
  @Text({
    max: 257,
    optional: true,
    description: 'Only devices with this label, as name:value, in the order of their registration.',
    example: 'site:north',
  })
  label?: string;
}

/** The states of these devices, in their order; those without one are left out. */
export class StatesOf {
  device_ids!: string[];
  updated_since?: string;
  at?: string;
}

/** States in the order that was asked for; `next_cursor` is null on the last page. */
export class StatePage {
  @ApiProperty({ type: [DeviceStateView] }) states!: DeviceStateView[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** An answer that has nothing to say. */
export class Nothing {
  nothing?: never;
}

/** Merges or replaces a device's state. `precondition_failed`; `invalid` when the state would grow too large. */
export const reportState = contract('device-state.report', DeviceReport, ReportedState);

/** Merges or replaces what a device should become. Failures as of `reportState`. */
export const desireState = contract('device-state.desire', DeviceDesire, DeviceStateView);

/** Ends a device's state; its history stays, its version goes on. `not_found`, `precondition_failed`. */
export const deleteState = contract('device-state.delete', StateRemoval, Nothing);

/** One device's state, now or at a time. `not_found` when there is or was none. */
export const getState = contract('device-state.get', StateOf, DeviceStateView);

/** A page of a device's history. `not_found` when it never reported; `invalid` when `cursor` is not one of ours. */
export const queryHistory = contract('device-state.history', DeviceHistoryQuery, HistoryPage);

/** A page of the project's states (of its own, for a device), now or at a time. `invalid` as above. */
export const queryStates = contract('device-state.query', FleetQuery, StatePage);

/** States of up to 1,000 devices by id; a `next_cursor` says that those after the last were not looked at. */
export const getStates = contract('device-state.get-many', StatesOf, StatePage);
