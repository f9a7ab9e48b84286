import { Controller } from '@nestjs/common';
import { Handles, HandlesRead, HandlesTogether } from '#bus';
import {
  deleteMessage,
  getMessage,
  markRead,
  queryConversation,
  queryConversations,
  queryMessageEntries,
  queryMessages,
  readMessageFeed,
  sendMessage,
  type Call,
  type Conversation,
  type ConversationMark,
  type ConversationPage,
  type ConversationSearch,
  type ConversationsQuery,
  type EntrySearch,
  type EntrySlice,
  type FeedPage,
  type FeedQuestion,
  type MessageId,
  type MessagePage,
  type MessageSearch,
  type MessageToDelete,
  type MessageToSend,
  type Outcome,
  type Reply,
  type SentMessage,
} from '#contracts';
import { FeedReader } from '#feeds';
import { ConversationsService } from './conversations.service.js';
import { MessagesService } from './messages.service.js';

@Controller()
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly conversations: ConversationsService,
    private readonly feed: FeedReader<object>,
  ) {}

  @HandlesTogether(sendMessage)
  send(calls: Call<MessageToSend>[]): Promise<Outcome<SentMessage>[]> {
    return this.messages.send(calls);
  }

  @HandlesRead(queryMessages)
  query(call: Call<MessageSearch>): Promise<Reply<MessagePage>> {
    return this.messages.query(call);
  }

  @HandlesRead(queryMessageEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.messages.entries(call);
  }

  @HandlesRead(getMessage)
  get(call: Call<MessageId>): Promise<Reply<SentMessage>> {
    return this.messages.get(call);
  }

  @Handles(deleteMessage)
  delete(call: Call<MessageToDelete>): Promise<Reply<SentMessage>> {
    return this.messages.delete(call);
  }

  @HandlesRead(queryConversations)
  queryConversations(call: Call<ConversationsQuery>): Promise<Reply<ConversationPage>> {
    return this.conversations.list(call);
  }

  @HandlesRead(queryConversation)
  queryConversation(call: Call<ConversationSearch>): Promise<Reply<MessagePage>> {
    return this.conversations.query(call);
  }

  @Handles(markRead)
  markRead(call: Call<ConversationMark>): Promise<Reply<Conversation>> {
    return this.conversations.mark(call);
  }

  @HandlesRead(readMessageFeed)
  readFeed(call: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    return this.feed.read(call);
  }
}
