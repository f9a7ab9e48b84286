import { type Caller, contract } from './call.js';
import { MAX_UUID, NIL_UUID } from './fields.js';
import { mailboxOf } from './messages.js';
import { type AnyEntry, ENTRY_KINDS } from './timeline.js';

/** What there are feeds of: whatever stands in a timeline, and who changed what in a project. */
export const FEED_KINDS = [...ENTRY_KINDS, 'audit'] as const;
/** What a feed is of; each has a table, a stream and a service of its own. */
export type FeedKind = (typeof FEED_KINDS)[number];

/** A place in a feed: the number of the transaction that wrote a row, and the row's id. */
export type FeedPosition = [transaction_id: string, id: string];

/** Before everything that a feed has. */
export const FEED_START: FeedPosition = ['0', NIL_UUID];

/** Whether one position is behind the other in their feed. */
export function isBehind([transaction_id, id]: FeedPosition, [other, other_id]: FeedPosition): boolean {
  const difference = BigInt(transaction_id) - BigInt(other);
  return difference === 0n ? id > other_id : difference > 0n;
}

/** Whether a position that was answered is where the feed ended then: there was nothing more behind it. */
export function isFeedEnd([, id]: FeedPosition): boolean {
  return id === MAX_UUID;
}

/** The end of a feed whose last rows this transaction wrote. */
export function feedEnd(transaction_id: string): FeedPosition {
  return [transaction_id, MAX_UUID];
}

/** What is known of an entry without a look into it: enough to say who may see it. */
export interface FeedHead {
  project_id: string;
  position: FeedPosition;
  id: string;
  /** The device that it is about. */
  device_id: string | null;
  /** Of messages: whose they are. */
  sender_mailbox?: string;
  recipient_mailbox?: string;
}

/** Whether a caller may see an entry: of their project, messages by whose they are, and to a device its own. */
export function maySee(caller: Caller, kind: FeedKind, head: FeedHead): boolean {
  if (head.project_id !== caller.project_id) return false;
  if (caller.role === 'admin') return true;
  if (kind === 'audit') return false;
  if (kind === 'message') return isParty(mailboxOf(caller), head);
  return caller.role !== 'device' || kind === 'price' || head.device_id === caller.principal;
}

/** Whether an entry is about a device, or a message to or from it. */
export function concerns(device_id: string, head: FeedHead): boolean {
  return head.device_id === device_id || isParty(mailboxOf({ role: 'device', principal: device_id }), head);
}

function isParty(mailbox: string, { sender_mailbox, recipient_mailbox }: FeedHead): boolean {
  return sender_mailbox === mailbox || recipient_mailbox === mailbox;
}

/** What a reader of a feed has missed: what it may see of its project, in the order of the feed. */
export class FeedQuestion {
  /** Entries behind it; null: none, only where the feed ends now. */
  after!: FeedPosition | null;
  /** Only what concerns it. */
  device_id?: string;
  limit!: number;
}

/** What a reader has missed, as far as one answer has room. */
export class FeedPage {
  entries!: { position: FeedPosition; entry: AnyEntry }[];
  /**
   * Up to where was looked: nothing before it is missing, and the next question is for what is behind it. It may be of a
   * row that is not for the caller.
   */
  position!: FeedPosition;
}

/** The service that has the feed of a kind answers; `audit` is the gateway's own. */
export const readEventFeed = contract('activity-events.read-feed', FeedQuestion, FeedPage);
export const readFirmwareFeed = contract('firmware.read-feed', FeedQuestion, FeedPage);
export const readMessageFeed = contract('messages.read-feed', FeedQuestion, FeedPage);
export const readPriceFeed = contract('pricing.read-feed', FeedQuestion, FeedPage);
export const readStateFeed = contract('device-state.read-feed', FeedQuestion, FeedPage);
