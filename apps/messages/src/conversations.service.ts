import { Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  mailboxOf,
  parseTimestamp,
  Reply,
  type Call,
  type Caller,
  type Conversation,
  type ConversationMark,
  type ConversationPage,
  type ConversationSearch,
  type ConversationsQuery,
  type Correspondent,
  type MessagePage,
} from '#contracts';
import { contentHash, decodeCursor, keyOf, listReply, pageOf, type Position } from '#database';
import { placeAfter, walkLeft } from './bounded-cursor.js';
import { ConversationsRepository, type ConversationSide } from './conversations.repository.js';
import { conversationJson, messageJson } from './message-json.js';
import { MessagesRepository } from './messages.repository.js';
import { between } from './sides.js';

@Injectable()
export class ConversationsService {
  constructor(
    private readonly conversations: ConversationsRepository,
    private readonly messages: MessagesRepository,
  ) {}

  async list({ caller, request }: Call<ConversationsQuery>): Promise<Reply<ConversationPage>> {
    const { order = 'desc', limit = DEFAULT_LIMIT, cursor } = request;
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const { project_id } = caller;
    const conversations = this.conversations.walk(project_id, mailboxOf(caller), order, limit + 1, after);
    const page = await pageOf(conversations, limit, conversationJson, ({ created_at, id }) => [
      created_at,
      id,
    ]);
    return listReply('conversations', page);
  }

  async query({ caller, request }: Call<ConversationSearch>): Promise<Reply<MessagePage>> {
    const { order = 'desc', limit = DEFAULT_LIMIT, cursor, before, after } = request;
    const left = cursor === undefined ? undefined : walkLeft(cursor);
    const side = await this.sideOf(caller, request.peer);
    const [start, end] = order === 'desc' ? [before, after] : [after, before];
    // Who goes on is behind the start already, and brings the end along: whatever marked them may be deleted.
    const [from, to] = await Promise.all([
      left?.from ?? this.anchor(side, start),
      left?.to ?? this.anchor(side, end),
    ]);
    const messages = this.messages.walk({
      project_id: side.project_id,
      sides: between(side.owner, side.peer),
      older_than: order === 'desc' ? from : to,
      newer_than: order === 'asc' ? from : to,
      order,
      expected: limit + 1,
    });
    const page = await pageOf(messages, limit, messageJson, (message) => placeAfter(message, to));
    return listReply('messages', page);
  }

  async mark({ request, ...context }: Call<ConversationMark>): Promise<Reply<Conversation>> {
    const { peer, up_to } = request;
    const side = await this.sideOf(context.caller, peer);
    const time = parseTimestamp(up_to);
    const names = keyOf(context).map((key) => ({
      ...key,
      content_hash: contentHash([key.content_hash, side.owner]),
    }));
    const marked = await this.conversations.mark(side, time ? { time } : { id: up_to }, names);
    if (marked instanceof Failure) throw marked;
    return marked;
  }

  private async sideOf({ project_id, ...caller }: Caller, peer: Correspondent): Promise<ConversationSide> {
    const owner = mailboxOf(caller);
    const mailbox = peer.mailbox ?? (await this.conversations.formerMailbox(project_id, owner, peer.address));
    if (mailbox === undefined) throw new Failure('not_found');
    return { project_id, owner, peer: mailbox };
  }

  private async anchor(side: ConversationSide, id?: string): Promise<Position | undefined> {
    if (id === undefined) return undefined;
    const position = await this.conversations.positionOf(side, id);
    if (!position) throw new Failure('not_found', 'The conversation has no such message');
    return position;
  }
}
