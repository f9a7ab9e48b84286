import { contract } from './call.js';
import { ApiExtraModels, ApiProperty } from './documentation.js';
import { CursorField, DeviceId, Limit, Moment, MomentNotAfter, Order, SomeOf } from './fields.js';

/** What can stand in a timeline; entries of one moment are in this order. */
export const ENTRY_KINDS = ['event', 'firmware', 'message', 'price', 'state'] as const;
/** Where an entry comes from: the `kind` of each. */
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What all entries have: something that happened, once, and never changes. */
export class TimelineEntry {
  @ApiProperty({ enum: ENTRY_KINDS }) kind!: EntryKind;
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty({ format: 'date-time', description: 'Its place in the timeline.' }) at!: string;
  @ApiProperty({ type: String, nullable: true, description: 'The device it is about.' })
  device_id!: string | null;
}

/** A report that was applied or came too late, or a deletion; `at` is when it was recorded. */
export class StateEntry extends TimelineEntry {
  @ApiProperty({ enum: ['state'] }) declare kind: 'state';
  @ApiProperty({ type: String }) declare device_id: string;
  @ApiProperty({ type: 'integer' }) version!: number;
  @ApiProperty({ enum: ['merge', 'replace', 'delete'] }) operation!: 'merge' | 'replace' | 'delete';
  @ApiProperty({ enum: ['applied', 'stale'] }) result!: 'applied' | 'stale';
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, description: 'As it was sent.' })
  patch!: Record<string, unknown> | null;
  @ApiProperty({ format: 'date-time' }) timestamp!: string;
  @ApiProperty({ enum: ['device', 'relative', 'server'], description: 'How `timestamp` was got.' })
  clock!: 'device' | 'relative' | 'server';
  @ApiProperty({ format: 'uuid', description: 'The key that wrote it.' }) key_id!: string;
}

/** What a device said about its firmware; `at` is its `timestamp`. */
export class FirmwareEntry extends TimelineEntry {
  @ApiProperty({ enum: ['firmware'] }) declare kind: 'firmware';
  @ApiProperty({ type: String }) declare device_id: string;
  @ApiProperty() firmware!: string;
  @ApiProperty() status!: string;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

/** An activity event; `at` is its `occurred_at`. */
export class EventEntry extends TimelineEntry {
  @ApiProperty({ enum: ['event'] }) declare kind: 'event';
  @ApiProperty() component!: string;
  @ApiProperty() environment!: string;
  @ApiProperty() email!: string;
  @ApiProperty() message!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: Record<string, unknown>;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

/** A message; `at` is its `created_at`. */
export class MessageEntry extends TimelineEntry {
  @ApiProperty({ enum: ['message'] }) declare kind: 'message';
  @ApiProperty() sender!: string;
  @ApiProperty() recipient!: string;
  @ApiProperty() message!: string;
}

/** A change of a price; `at` is its `timestamp`. It is about no device. */
export class PriceEntry extends TimelineEntry {
  @ApiProperty({ enum: ['price'] }) declare kind: 'price';
  declare device_id: null;
  @ApiProperty() product_id!: string;
  @ApiProperty({ type: String, nullable: true }) previous_price!: string | null;
  @ApiProperty() new_price!: string;
  @ApiProperty({ type: 'integer' }) sequence!: number;
}

/** An entry of any kind; its `kind` tells which. */
export type AnyEntry = EventEntry | FirmwareEntry | MessageEntry | PriceEntry | StateEntry;

/** The declared class of each kind. */
export const ENTRIES = {
  event: EventEntry,
  firmware: FirmwareEntry,
  message: MessageEntry,
  price: PriceEntry,
  state: StateEntry,
} as const satisfies Record<EntryKind, unknown>;

const entrySchemas = Object.entries(ENTRIES).map(
  ([kind, { name }]) => [kind, `#/components/schemas/${name}`] as const,
);

/** Any entry, for OpenAPI; a class that uses it names `ENTRIES` as its extra models. */
const ANY_ENTRY = {
  oneOf: entrySchemas.map(([, $ref]) => ({ $ref })),
  discriminator: { propertyName: 'kind', mapping: Object.fromEntries(entrySchemas) },
};

/** Which entries: all given conditions hold. Times are those of `at`. */
export class TimelineQuery {
  @SomeOf(ENTRY_KINDS, { description: 'Only these; all that the caller may see unless told.' })
  kinds?: string;
  @Moment({ description: 'From this time on.' }) @MomentNotAfter('to') from?: string;
  @Moment({ description: 'Before this time.' }) to?: string;
  @Order() order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** Which entries to be sent as they happen. */
export class StreamQuery {
  @SomeOf(ENTRY_KINDS, { description: 'Only these; all that the caller may see unless told.' })
  kinds?: string;
  @DeviceId({ optional: true, description: 'Only what is about it, and messages to or from it.' })
  device_id?: string;
}

/** Entries in the order that was asked for; `next_cursor` is null on the last page. */
@ApiExtraModels(...Object.values(ENTRIES))
export class TimelinePage {
  @ApiProperty({ type: 'array', items: ANY_ENTRY }) entries!: AnyEntry[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** The kinds that a `kinds` field names; all of them when it names none. */
export function entryKindsOf(kinds: string | undefined): readonly EntryKind[] {
  return kinds === undefined ? ENTRY_KINDS : ENTRY_KINDS.filter((kind) => kinds.split(',').includes(kind));
}

/** A question to one service for entries of its kind. `cursor` is the position of one: its `at` and its place. */
export class EntrySearch {
  /** Only what is about this device; messages also to or from it. */
  device_id?: string;
  /** From this time on. */
  from?: string;
  /** Before this time. */
  to?: string;
  order!: 'asc' | 'desc';
  limit!: number;
  cursor?: string;
}

/** Entries of one kind in the order of (`at`, place), none left out between the first and the last. */
export class EntrySlice {
  entries!: AnyEntry[];
  /** Of each entry: what tells its place among those of the same time; text that only its service reads. */
  places!: string[];
  /** Whether there are more after the last; a slice that is empty has none. */
  has_more!: boolean;
}

/** Activity events of the caller's project. `invalid` when `cursor` is not one of ours, as for all below. */
export const queryEventEntries = contract('activity-events.query-entries', EntrySearch, EntrySlice);

/** Firmware events of the caller's project. */
export const queryFirmwareEntries = contract('firmware.query-entries', EntrySearch, EntrySlice);

/** Messages to or from the caller; of all of the project for an admin. */
export const queryMessageEntries = contract('messages.query-entries', EntrySearch, EntrySlice);

/** Changes of prices of the caller's project; none with a `device_id`. */
export const queryPriceEntries = contract('pricing.query-entries', EntrySearch, EntrySlice);

/** Entries of the histories of states in the caller's project. */
export const queryStateEntries = contract('device-state.query-entries', EntrySearch, EntrySlice);
