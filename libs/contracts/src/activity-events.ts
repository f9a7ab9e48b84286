import { contract } from './call.js';
import { ApiProperty } from './documentation.js';
import {
  CursorField,
  DeviceId,
  EmailAddress,
  JsonObject,
  Limit,
  Moment,
  OneOf,
  Order,
  OwnUuid,
  Text,
  Timestamp,
  Uuid,
} from './fields.js';

/** What a caller says about something that happened. */
export class NewEvent {
  @Text({ max: 128, description: 'The part of the system that speaks.', example: 'billing' })
  component!: string;

  @Text({ max: 128, description: 'Where it runs.', example: 'production' })
  environment!: string;

  @EmailAddress({ description: 'Who it concerns.' })
  email!: string;

  @Text({ max: 16_384, description: 'What happened, for a person.', example: 'Invoice 42 was paid' })
  message!: string;

  @JsonObject({ description: 'What happened, for a program.', example: { invoice: 42 } })
  data!: Record<string, unknown>;

  @DeviceId({ optional: true, description: 'The device it is about.' })
  device_id?: string;

  @OwnUuid({ optional: true, description: 'The caller’s own id. The same id again is the same event.' })
  id?: string;

  @Timestamp({ optional: true, description: 'When it happened; when it was recorded unless told.' })
  occurred_at?: string;
}

/** An event as it was recorded. Events never change. */
export class RecordedEvent {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() component!: string;
  @ApiProperty() environment!: string;
  @ApiProperty() email!: string;
  @ApiProperty() message!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: Record<string, unknown>;
  @ApiProperty({ type: String, nullable: true }) device_id!: string | null;
  @ApiProperty({ format: 'date-time' }) occurred_at!: string;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

/** Which events: all given conditions hold. Times are those of `occurred_at`. */
export class EventFilter {
  @Text({ max: 128, optional: true }) component?: string;
  @Text({ max: 128, optional: true }) environment?: string;
  @Text({ max: 254, optional: true }) email?: string;
  @Text({ max: 16_384, optional: true, description: 'A part of the message, in any case.' }) message?: string;
  @DeviceId({ optional: true }) device_id?: string;
  @Moment({ description: 'From this time on.' }) from_date?: string;
  @Moment({ description: 'Before this time.' }) to_date?: string;
}

/**
 * A page of the events that a filter finds, by `occurred_at`; `cursor` is the `next_cursor` of the page before.
 */
export class EventQuery extends EventFilter {
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** Events in the order that was asked for; `next_cursor` is null on the last page. */
export class EventPage {
  @ApiProperty({ type: [RecordedEvent] }) events!: RecordedEvent[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** The event to get: its own id, or the one that its caller gave it. */
export class EventId {
  @Uuid() id!: string;
}

/** Events to count, for each interval and, if told, for each component or environment in it. */
export class HistogramQuery extends EventFilter {
  @OneOf(['minute', 'hour', 'day']) interval!: 'minute' | 'hour' | 'day';
  @OneOf(['component', 'environment'], { optional: true }) group_by?: 'component' | 'environment';
}

/**
 * How many events one interval has, from `start` (UTC) on; `key` is the component or environment that they have
 * in common.
 */
export class Bucket {
  @ApiProperty({ format: 'date-time' }) start!: string;
  @ApiProperty({ required: false }) key?: string;
  @ApiProperty({ type: 'integer' }) count!: number;
}

/** Intervals that have events, oldest first. */
export class Histogram {
  @ApiProperty({ type: [Bucket] }) buckets!: Bucket[];
}

/** Records one event. Idempotent by the caller's own `id` and by idempotency key. */
export const recordEvent = contract('activity-events.record', NewEvent, RecordedEvent);

/** A page of the project's events (of its own, for a device). `invalid` when `cursor` is not one of ours. */
export const queryEvents = contract('activity-events.query', EventQuery, EventPage);

/** One event. `not_found` when it is not there, or not the caller's to see. */
export const getEvent = contract('activity-events.get', EventId, RecordedEvent);

/** Events counted by time, in UTC, oldest first; empty buckets are left out. */
export const countEvents = contract('activity-events.count', HistogramQuery, Histogram);
