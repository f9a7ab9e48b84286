import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  Conversation,
  ConversationPage,
  ConversationQuery,
  ConversationsQuery,
  markRead,
  MessagePage,
  PeerPath,
  queryConversation,
  queryConversations,
  ReadMark,
  SentMessage,
  type CallContext,
  type Reply,
} from '#contracts';
import { AddressBook } from './auth/address-book.js';
import { Allow, DATA_READERS, DATA_WRITERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { list } from './http/listing.js';

@ApiTags('messages')
@Controller('v1/conversations')
export class ConversationsController {
  constructor(
    private readonly bus: Bus,
    private readonly addresses: AddressBook,
  ) {}

  @Get()
  @Allow(DATA_READERS, 200, ConversationPage)
  @ApiOperation({ summary: 'One’s own conversations, by their last message, with what is unread' })
  conversations(
    @Query() query: ConversationsQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<ConversationPage> | Readable> {
    const page = (each: ConversationsQuery): Promise<Reply<ConversationPage>> =>
      this.bus.call(queryConversations, each, context);
    return list(
      { query, page, rows: ({ conversations }) => conversations, row: Conversation },
      request,
      reply,
    );
  }

  @Get(':peer')
  @Allow(DATA_READERS, 200, MessagePage)
  @ApiOperation({ summary: 'Both directions with a peer, from either end, before or after any message' })
  async conversation(
    @Param() path: PeerPath,
    @Query() range: ConversationQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<MessagePage> | Readable> {
    const query = { ...range, peer: await this.addresses.find(context.caller, path.peer) };
    const page = (each: typeof query): Promise<Reply<MessagePage>> =>
      this.bus.call(queryConversation, each, context);
    return list({ query, page, rows: ({ messages }) => messages, row: SentMessage }, request, reply);
  }

  @Post(':peer/read')
  @Allow(DATA_WRITERS, 200, Conversation)
  @ApiOperation({ summary: 'Move one’s read horizon forward; it never moves back' })
  async read(
    @Param() path: PeerPath,
    @Body() { up_to }: ReadMark,
    @Context() context: CallContext,
  ): Promise<Reply<Conversation>> {
    const peer = await this.addresses.find(context.caller, path.peer);
    return this.bus.call(markRead, { peer, up_to }, context);
  }
}
