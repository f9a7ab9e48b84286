import { contract } from './call.js';
import { ApiProperty } from './documentation.js';
import {
  Address,
  Characters,
  CursorField,
  DeviceId,
  Limit,
  Moment,
  Order,
  OwnUuid,
  Uuid,
  UuidOrTimestamp,
} from './fields.js';

/** What a caller wants to be told, and to whom. */
export class NewMessage {
  @Address({ description: 'A member’s e-mail address, in any case, or a device’s id.' })
  recipient!: string;

  @Characters({ max: 4_000, description: 'Any Unicode, returned as sent.', example: 'Close valve 3' })
  message!: string;

  @Address({ optional: true, description: 'The caller; only an admin may name another.' })
  sender?: string;

  @DeviceId({ optional: true, description: 'The device it is about.' })
  device_id?: string;
}

/** A message as it was sent. Messages never change. */
export class SentMessage {
  @ApiProperty({ format: 'uuid' }) id!: string;
  @ApiProperty() sender!: string;
  @ApiProperty() recipient!: string;
  @ApiProperty() message!: string;
  @ApiProperty({ required: false }) device_id?: string;
  @ApiProperty({ format: 'date-time' }) created_at!: string;
}

/**
 * Somebody under an address. Addresses change hands, mailboxes do not: a message belongs to the mailbox of who
 * had the address when it was sent. No `mailbox`: nobody in the project has that address now.
 */
export class Correspondent {
  address!: string;
  mailbox?: string;
}

/** The mailbox of a caller: a member's by its id, which outlives its e-mail address, or a device's. */
export function mailboxOf({ role, principal }: { role: string; principal: string }): string {
  return `${role === 'device' ? 'device' : 'member'} ${principal}`;
}

/** A message on its way to the service, with its two ends looked up. */
export class MessageToSend {
  /** The sender's own. */
  id?: string;
  /** Without a mailbox, too, when it is somebody as whom the caller may not send. */
  from!: Correspondent;
  to!: Correspondent;
  content!: NewMessage;
}

class Paging {
  @Order() order?: 'asc' | 'desc';
  @CursorField() cursor?: string;
}

class MessagePaging extends Paging {
  @Limit(100) limit?: number;
}

/** A page of messages, by `created_at`. Both conditions hold where both are given. */
export class MessageQuery extends MessagePaging {
  @Address({ optional: true }) recipient?: string;
  @Address({ optional: true }) sender?: string;
  @Moment({ description: 'From this time on; the last 30 days unless told.' }) since?: string;
}

/** The same on its way to the service, with addresses looked up. */
export class MessageSearch extends MessagePaging {
  recipient?: Correspondent;
  sender?: Correspondent;
  since?: string;
}

/** Messages in the order that was asked for; `next_cursor` is null on the last page. */
export class MessagePage {
  @ApiProperty({ type: [SentMessage] }) messages!: SentMessage[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** The message to get. */
export class MessageId {
  @Uuid() id!: string;
}

/** Where a sender puts a message of its own id. */
export class OwnMessageId {
  @OwnUuid({ description: 'The sender’s own: any UUID but the Max UUID.' }) id!: string;
}

/** The message to delete, under conditions on its version. */
export class MessageToDelete extends MessageId {
  /** One of these is to be its version, or `*`, if there are any. */
  if_match?: string[];
}

/** A page of the caller's conversations, by their last message. */
export class ConversationsQuery extends Paging {
  @Limit() limit?: number;
}

/** All messages between the caller and one other, by the last of them. */
export class Conversation {
  @ApiProperty({ description: 'The address of the other.' }) peer!: string;
  @ApiProperty({ type: SentMessage }) last_message!: SentMessage;
  @ApiProperty({ type: 'integer', description: 'Messages from the peer behind the read horizon.' })
  unread!: number;
}

/** Conversations in the order that was asked for; `next_cursor` is null on the last page. */
export class ConversationPage {
  @ApiProperty({ type: [Conversation] }) conversations!: Conversation[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/** The other of a conversation. */
export class PeerPath {
  @Address() peer!: string;
}

/** A page of one conversation; both bounds are ids of messages, and not among what is found. */
export class ConversationQuery extends MessagePaging {
  @Uuid({ optional: true, description: 'Only messages older than this one.' }) before?: string;
  @Uuid({ optional: true, description: 'Only messages newer than this one.' }) after?: string;
}

/** The same on its way to the service, with the other looked up. */
export class ConversationSearch extends ConversationQuery {
  peer!: Correspondent;
}

/** How far the caller has read. It never goes back. */
export class ReadMark {
  @UuidOrTimestamp({ description: 'The last message that was read, by its id, or the time until which.' })
  up_to!: string;
}

/** The same on its way to the service, with the other looked up. */
export class ConversationMark extends ReadMark {
  peer!: Correspondent;
}

/**
 * Sends one message. Idempotent by the sender's own `id` and by idempotency key. `unknown_recipient` when nobody
 * has the address of `to`, `forbidden` when the caller may not send as `from`, or `invalid` when nobody has its address,
 * `conflict` when another message has the id.
 */
export const sendMessage = contract('messages.send', MessageToSend, SentMessage);

/** A page of the messages to or from the caller; of all of the project for an admin. */
export const queryMessages = contract('messages.query', MessageSearch, MessagePage);

/** One message. `not_found` when it is not there, or not the caller's to see. */
export const getMessage = contract('messages.get', MessageId, SentMessage);

/**
 * Deletes a message for both; answers what it was. `forbidden` to a recipient, `precondition_failed` when its version
 * is none of `if_match`.
 */
export const deleteMessage = contract('messages.delete', MessageToDelete, SentMessage);

/** A page of the caller's conversations, by the time of their last message. */
export const queryConversations = contract(
  'messages.query-conversations',
  ConversationsQuery,
  ConversationPage,
);

/** A page of both directions with one peer. `not_found` for a peer, or an anchor without a cursor, that is not there. */
export const queryConversation = contract('messages.query-conversation', ConversationSearch, MessagePage);

/** Moves the caller's read horizon forward, never back. `not_found` as for `queryConversation`. */
export const markRead = contract('messages.mark-read', ConversationMark, Conversation);
