import { randomUUID } from 'node:crypto';
import { type Bus } from '#bus';
import {
  mailboxOf,
  markRead,
  queryConversation,
  queryConversations,
  queryMessages,
  sendMessage,
  type CallContext,
  type Conversation,
  type ConversationSearch,
  type Correspondent,
  type MessageSearch,
  type NewMessage,
  type Reply,
  type Role,
  type SentMessage,
} from '#contracts';
import { context } from '#testing';

/** One who writes and reads messages, as the gateway would call for it. */
export class Person {
  readonly principal = randomUUID();

  constructor(
    private readonly bus: Bus,
    readonly project_id: string,
    readonly address = `${randomUUID()}@example.com`,
    readonly role: Role = 'editor',
  ) {}

  get correspondent(): Correspondent {
    return { address: this.address, mailbox: mailboxOf(this) };
  }

  context(rest: Partial<CallContext> = {}): CallContext {
    const { project_id, role, principal, address } = this;
    return context({ project_id, role, principal, address }, rest);
  }

  /** A call of its own kind: by key, by own id, in another's name. */
  send(
    to: Correspondent,
    content: Partial<NewMessage> = {},
    {
      id,
      from = this.correspondent,
      ...rest
    }: Partial<CallContext> & { id?: string; from?: Correspondent } = {},
  ): Promise<Reply<SentMessage>> {
    const whole = { recipient: to.address, message: 'Close valve 3', ...content };
    return this.bus.call(sendMessage, { id, from, to, content: whole }, this.context(rest));
  }

  async write(to: Person, message?: string): Promise<SentMessage> {
    return (await this.send(to.correspondent, message === undefined ? {} : { message })).body;
  }

  async search(request: MessageSearch = {}): Promise<SentMessage[]> {
    return (await this.bus.call(queryMessages, request, this.context())).body.messages;
  }

  async conversation(peer: Person, range: Omit<ConversationSearch, 'peer'> = {}): Promise<SentMessage[]> {
    const request = { ...range, peer: peer.correspondent };
    return (await this.bus.call(queryConversation, request, this.context())).body.messages;
  }

  async conversations(): Promise<Conversation[]> {
    return (await this.bus.call(queryConversations, { limit: 1000 }, this.context())).body.conversations;
  }

  async read(peer: Person, up_to: string): Promise<Conversation> {
    return (await this.bus.call(markRead, { peer: peer.correspondent, up_to }, this.context())).body;
  }
}

/** By (created_at, id), newest first: the order of every list of messages. */
export function newestFirst(one: SentMessage, other: SentMessage): number {
  const [a, b] = [one.created_at + one.id, other.created_at + other.id];
  return a > b ? -1 : a < b ? 1 : 0;
}
