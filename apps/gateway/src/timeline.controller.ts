import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import {
  ENTRIES,
  TimelinePage,
  TimelineQuery,
  type AnyEntry,
  type CallContext,
  type Reply,
} from '#contracts';
import { Allow, DATA_READERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicePath } from './auth/resources.js';
import { list } from './http/listing.js';
import { TimelineService } from './timeline.service.js';

const row = Object.values(ENTRIES);
const rows = ({ entries }: TimelinePage): AnyEntry[] => entries;

@ApiTags('timeline')
@Controller('v1')
export class TimelineController {
  constructor(private readonly timeline: TimelineService) {}

  @Get('timeline')
  @Allow(DATA_READERS, 200, TimelinePage)
  @ApiOperation({ summary: 'All that happened, in one order, newest first; as NDJSON or CSV all of it' })
  ofProject(
    @Query() query: TimelineQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<TimelinePage> | Readable> {
    const page = (each: TimelineQuery): Promise<Reply<TimelinePage>> =>
      this.timeline.ofProject(each, context);
    return list({ query, page, rows, row }, request, reply);
  }

  @Get('devices/:device_id/timeline')
  @Allow(DATA_READERS, 200, TimelinePage)
  @ApiOperation({
    summary: 'All that happened to a device, and messages to, from or about it; as NDJSON or CSV all of it',
  })
  ofDevice(
    @Param() { device_id }: DevicePath,
    @Query() query: TimelineQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<TimelinePage> | Readable> {
    const page = (each: TimelineQuery): Promise<Reply<TimelinePage>> =>
      this.timeline.ofDevice(device_id, each, context);
    return list({ query, page, rows, row }, request, reply);
  }
}
