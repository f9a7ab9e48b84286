import { Body, Controller, Delete, Get, Headers, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  deleteMessage,
  getMessage,
  MessageId,
  MessagePage,
  MessageQuery,
  NewMessage,
  OwnMessageId,
  queryMessages,
  sendMessage,
  SentMessage,
  type CallContext,
  type Caller,
  type Correspondent,
  type Reply,
} from '#contracts';
import { AddressBook } from './auth/address-book.js';
import { Allow, DATA_READERS, DATA_WRITERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicesService } from './auth/devices.service.js';
import { type RequestContext } from './auth/request-context.js';
import { list } from './http/listing.js';
import { preconditions } from './http/preconditions.js';
import { messageToSend } from './writes/message-write.js';

@ApiTags('messages')
@Controller('v1/messages')
export class MessagesController {
  constructor(
    private readonly bus: Bus,
    private readonly addresses: AddressBook,
    private readonly devices: DevicesService,
  ) {}

  @Post()
  @Allow(DATA_WRITERS, 201, SentMessage)
  @ApiOperation({ summary: 'Send a message; 201 means that it is on disk' })
  send(@Body() content: NewMessage, @Context() context: RequestContext): Promise<Reply<SentMessage>> {
    return this.sendOnce(undefined, content, context);
  }

  @Put(':id')
  @Allow(DATA_WRITERS, 201, SentMessage)
  @ApiOkResponse({ type: SentMessage, description: 'It was sent before: the first answer again.' })
  @ApiOperation({ summary: 'Send a message under an id of one’s own: once, however often it is repeated' })
  async sendAs(
    @Param() { id }: OwnMessageId,
    @Body() content: NewMessage,
    @Context() context: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<SentMessage>> {
    const sent = await this.sendOnce(id, content, context);
    if (sent.marks.replayed) reply.status(200);
    return sent;
  }

  @Get()
  @Allow(DATA_READERS, 200, MessagePage)
  @ApiOperation({
    summary: 'Find messages to or from oneself, newest first; an admin finds all of the project',
  })
  async query(
    @Query() { recipient, sender, ...rest }: MessageQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<MessagePage> | Readable> {
    const [to, from] = await Promise.all([
      this.find(context.caller, recipient),
      this.find(context.caller, sender),
    ]);
    const query = { ...rest, recipient: to, sender: from };
    const page = (each: typeof query): Promise<Reply<MessagePage>> =>
      this.bus.call(queryMessages, each, context);
    return list({ query, page, rows: ({ messages }) => messages, row: SentMessage }, request, reply);
  }

  @Get(':id')
  @Allow(DATA_READERS, 200, SentMessage)
  @ApiOperation({ summary: 'One message' })
  get(@Param() path: MessageId, @Context() context: CallContext): Promise<Reply<SentMessage>> {
    return this.bus.call(getMessage, path, context);
  }

  @Delete(':id')
  @Allow(DATA_WRITERS, 204)
  @ApiOperation({ summary: 'Delete a message for both; its sender or an admin may' })
  async delete(
    @Param() path: MessageId,
    @Context() context: CallContext,
    @Headers('if-match') if_match?: string,
  ): Promise<void> {
    await this.bus.call(deleteMessage, { ...path, ...preconditions(if_match) }, context);
  }

  private async sendOnce(
    id: string | undefined,
    content: NewMessage,
    context: RequestContext,
  ): Promise<Reply<SentMessage>> {
    const message = await messageToSend(content, context, this.addresses, this.devices);
    return this.bus.call(sendMessage, { ...message, id }, context);
  }

  private async find(caller: Caller, address: string | undefined): Promise<Correspondent | undefined> {
    return address === undefined ? undefined : this.addresses.find(caller, address);
  }
}
