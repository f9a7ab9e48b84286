import { Controller, Get, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { StreamQuery, type CallContext } from '#contracts';
import { Allow, DATA_READERS } from '../auth/allow.js';
import { type AuthenticatedRequest } from '../auth/authentication.js';
import { Context } from '../auth/call-context.js';
import { HasOwnBound } from '../auth/turns.js';
import { STREAM_HEADERS } from './stream-reader.js';
import { StreamService } from './stream.service.js';

@ApiTags('timeline')
@Controller('v1/stream')
export class StreamController {
  constructor(private readonly streams: StreamService) {}

  @Get()
  @HasOwnBound()
  @Allow(DATA_READERS, 200, String)
  @ApiProduces('text/event-stream')
  @ApiHeader({
    name: 'last-event-id',
    required: false,
    description: 'The last id that was read: goes on behind it, at any gateway, without a gap or a repeat.',
  })
  @ApiOperation({
    summary: 'Entries of the timeline as they are committed, as server-sent events',
    description:
      'Each event has an `id`, its kind as `event`, and an entry of the timeline as `data`. Begins with what is committed ' +
      'from now on, unless `Last-Event-ID` is sent. An event `problem` is the last: its `data` says why the stream ends.',
  })
  async open(
    @Query() query: StreamQuery,
    @Context() context: CallContext,
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
    @Headers('last-event-id') last_id?: string,
  ): Promise<void> {
    // Fastify asks here for HEAD, too; what has no body has nothing to wait for.
    if (request.method === 'HEAD') {
      await this.streams.check(query, last_id, context);
      void reply.headers(STREAM_HEADERS).send();
    } else await this.streams.open(query, last_id, request.principal, context, reply);
  }
}
