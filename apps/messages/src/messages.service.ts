import { Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  mailboxOf,
  NIL_UUID,
  parseMoment,
  Reply,
  sliceOf,
  type Call,
  type Caller,
  type Correspondent,
  type EntrySearch,
  type EntrySlice,
  type MessageId,
  type MessagePage,
  type MessageSearch,
  type MessageToDelete,
  type MessageToSend,
  type Outcome,
  type SentMessage,
} from '#contracts';
import { contentHash, decodeCursor, keyOf, listReply, pageOf, type Position } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { placeAfter, walkLeft } from './bounded-cursor.js';
import { Clock } from './clock.js';
import { ConversationsRepository } from './conversations.repository.js';
import { messageJson } from './message-json.js';
import { MessagesRepository, type MessageWrite } from './messages.repository.js';
import { messageEntryJson } from './message-entry.js';
import { oldest } from './positions.js';
import { sidesAround, sidesOf } from './sides.js';
import { type StoredMessage } from './stored-message.js';

const RECENT_MS = 30 * 86_400_000;

@Injectable()
export class MessagesService {
  constructor(
    private readonly messages: MessagesRepository,
    private readonly conversations: ConversationsRepository,
    private readonly clock: Clock,
  ) {}

  send(calls: Call<MessageToSend>[]): Promise<Outcome<SentMessage>[]> {
    const now = this.clock.now().toISOString();
    return this.messages.send(calls.map((call) => writeOf(call, now)));
  }

  async query({ caller, request }: Call<MessageSearch>): Promise<Reply<MessagePage>> {
    const { order = 'desc', limit = DEFAULT_LIMIT, cursor, since } = request;
    const { project_id } = caller;
    const left = cursor === undefined ? undefined : walkLeft(cursor);
    const recent_at = new Date(this.clock.now().getTime() - RECENT_MS).toISOString();
    // The days that are shown unless told are those before the first page: no row leaves a walk as it goes on.
    const from = parseMoment(since)?.toISOString() ?? left?.to?.[0] ?? recent_at;
    const [recipient, sender] = await Promise.all([
      this.mailboxOf(caller, request.recipient),
      this.mailboxOf(caller, request.sender),
    ]);
    const reader = caller.role === 'admin' ? undefined : mailboxOf(caller);
    const messages = this.messages.walk({
      project_id,
      sides: recipient === null || sender === null ? [] : sidesOf(reader, { recipient, sender }),
      since: new Date(from),
      older_than: order === 'desc' ? left?.from : undefined,
      newer_than: order === 'asc' ? left?.from : undefined,
      order,
      expected: limit + 1,
    });
    const page = await pageOf(messages, limit, messageJson, (last) => placeAfter(last, [from, NIL_UUID]));
    return listReply('messages', page);
  }

  async entries({ caller, request }: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    const { device_id, from, to, order, limit, cursor } = request;
    const position = cursor === undefined ? undefined : decodeCursor(cursor);
    const reader = caller.role === 'admin' ? undefined : mailboxOf(caller);
    const until = parseMoment(to);
    const end: Position | undefined = until && [until.toISOString(), NIL_UUID];
    const messages = this.messages.walk({
      project_id: caller.project_id,
      sides: device_id === undefined ? sidesOf(reader) : sidesAround(device_id, reader),
      since: parseMoment(from),
      older_than: oldest(end, order === 'desc' ? position : undefined),
      newer_than: order === 'asc' ? position : undefined,
      order,
      expected: limit + 1,
    });
    return sliceOf(messages, limit, messageEntryJson, ({ id }) => id);
  }

  async get({ caller, request }: Call<MessageId>): Promise<Reply<SentMessage>> {
    const message = await this.visible(caller, request.id);
    return Reply.json(messageJson(message), { version: message.id });
  }

  async delete({ caller, request }: Call<MessageToDelete>): Promise<Reply<SentMessage>> {
    const message = await this.visible(caller, request.id);
    if (caller.role !== 'admin' && message.sender_mailbox !== mailboxOf(caller)) {
      throw new Failure('forbidden', 'Only its sender or an admin deletes a message');
    }
    const { if_match } = request;
    if (if_match && !if_match.includes('*') && !if_match.includes(message.id)) {
      throw new Failure('precondition_failed', `The version is "${message.id}"`);
    }
    if (!(await this.messages.delete(caller.project_id, message))) throw new Failure('not_found');
    return Reply.json(messageJson(message));
  }

  /** @throws Failure `not_found` also for what others write to each other */
  private async visible(caller: Caller, id: string): Promise<StoredMessage> {
    const message = await this.messages.find(caller.project_id, id);
    const sees = [message?.sender_mailbox, message?.recipient_mailbox].includes(mailboxOf(caller));
    if (!message || (caller.role !== 'admin' && !sees)) throw new Failure('not_found');
    return message;
  }

  /** Undefined when nobody is asked for, null when nobody is known by that address. */
  private async mailboxOf(caller: Caller, one?: Correspondent): Promise<string | undefined | null> {
    if (!one || one.mailbox !== undefined) return one?.mailbox;
    const former = await this.conversations.formerMailbox(caller.project_id, mailboxOf(caller), one.address);
    return former ?? null;
  }
}

/** The message of a call, and what makes it the same call again: who calls and what was said, as it was said. */
function writeOf({ request, ...context }: Call<MessageToSend>, created_at: string): MessageWrite {
  const { from, to, content } = request;
  const { project_id } = context.caller;
  const message: StoredMessage = {
    id: request.id?.toLowerCase() ?? uuidv7(),
    sender: from.address,
    recipient: to.address,
    sender_mailbox: from.mailbox ?? '',
    recipient_mailbox: to.mailbox ?? '',
    message: content.message,
    device_id: content.device_id ?? null,
    created_at,
  };
  const by = mailboxOf(context.caller);
  const names = keyOf(context).map((key) => ({ ...key, content_hash: contentHash([key.content_hash, by]) }));
  const hasOwnId = request.id !== undefined;
  if (hasOwnId) {
    const content_hash = contentHash([content, by]);
    names.push({ project_id, route: 'message id', key: message.id, content_hash });
  }
  return { project_id, message, hasOwnId, names, refusal: refusalOf(context.caller, from, to) };
}

function refusalOf({ role }: Caller, from: Correspondent, to: Correspondent): Failure | undefined {
  if (from.mailbox === undefined && role !== 'admin')
    return new Failure('forbidden', 'Only an admin sends in the name of another');
  if (to.mailbox === undefined) return new Failure('unknown_recipient');
  if (from.mailbox !== undefined) return undefined;
  return Failure.invalid({ pointer: '/sender', detail: 'is nobody’s address here' });
}
