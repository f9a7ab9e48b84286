import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  countEvents,
  EventId,
  EventPage,
  EventQuery,
  getEvent,
  Histogram,
  HistogramQuery,
  NewEvent,
  queryEvents,
  RecordedEvent,
  recordEvent,
  type CallContext,
  type Reply,
} from '#contracts';
import { Allow, DATA_READERS, DATA_WRITERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicesService } from './auth/devices.service.js';
import { type RequestContext } from './auth/request-context.js';
import { list } from './http/listing.js';
import { eventToRecord } from './writes/event-write.js';

@ApiTags('activity events')
@Controller('v1/events')
export class ActivityEventsController {
  constructor(
    private readonly bus: Bus,
    private readonly devices: DevicesService,
  ) {}

  @Post()
  @Allow(DATA_WRITERS, 201, RecordedEvent)
  @ApiOperation({ summary: 'Record an event; 201 means that it is on disk' })
  async record(@Body() event: NewEvent, @Context() context: RequestContext): Promise<Reply<RecordedEvent>> {
    return this.bus.call(recordEvent, await eventToRecord(event, context, this.devices), context);
  }

  @Get()
  @Allow(DATA_READERS, 200, EventPage)
  @ApiOperation({ summary: 'Find events, newest first; as NDJSON or CSV all of them' })
  query(
    @Query() query: EventQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<EventPage> | Readable> {
    const page = (each: EventQuery): Promise<Reply<EventPage>> => this.bus.call(queryEvents, each, context);
    return list({ query, page, rows: ({ events }) => events, row: RecordedEvent }, request, reply);
  }

  @Get('histogram')
  @Allow(DATA_READERS, 200, Histogram)
  @ApiOperation({ summary: 'Events counted by time' })
  count(@Query() query: HistogramQuery, @Context() context: CallContext): Promise<Reply<Histogram>> {
    return this.bus.call(countEvents, query, context);
  }

  @Get(':id')
  @Allow(DATA_READERS, 200, RecordedEvent)
  @ApiOperation({ summary: 'One event' })
  get(@Param() path: EventId, @Context() context: CallContext): Promise<Reply<RecordedEvent>> {
    return this.bus.call(getEvent, path, context);
  }
}
