import { Body, Controller, Delete, Get, Headers, Param, Patch, Put, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  deleteState,
  DesiredState,
  desireState,
  DeviceStateView,
  Failure,
  getState,
  HistoryEntry,
  HistoryPage,
  HistoryQuery,
  queryHistory,
  ReportedState,
  reportState,
  StateAt,
  StateReport,
  type CallContext,
  type Caller,
  type Reply,
} from '#contracts';
import { Allow, DATA_READERS, DATA_WRITERS, WRITERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicesService } from './auth/devices.service.js';
import { type RequestContext } from './auth/request-context.js';
import { DevicePath } from './auth/resources.js';
import { list } from './http/listing.js';
import { AcceptsMergePatch, MERGE_PATCH } from './http/merge-patch-body.js';
import { preconditions } from './http/preconditions.js';
import { reportToMake } from './writes/state-write.js';

@ApiTags('device state')
@Controller('v1/devices/:device_id/state')
export class DeviceStateController {
  constructor(
    private readonly bus: Bus,
    private readonly devices: DevicesService,
  ) {}

  @Patch()
  @AcceptsMergePatch()
  @ApiConsumes('application/json', MERGE_PATCH)
  @Allow(DATA_WRITERS, 200, ReportedState)
  @ApiOperation({ summary: 'Merge a report into the state; a repeat of it changes nothing' })
  merge(
    @Param() { device_id }: DevicePath,
    @Body() report: StateReport,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
    @Headers('if-none-match') if_none_match?: string,
  ): Promise<Reply<ReportedState>> {
    return this.report(device_id, report, false, context, if_match, if_none_match);
  }

  @Put()
  @Allow(DATA_WRITERS, 200, ReportedState)
  @ApiOperation({ summary: 'Replace the state by a report' })
  replace(
    @Param() { device_id }: DevicePath,
    @Body() report: StateReport,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
    @Headers('if-none-match') if_none_match?: string,
  ): Promise<Reply<ReportedState>> {
    return this.report(device_id, report, true, context, if_match, if_none_match);
  }

  @Get()
  @Allow(DATA_READERS, 200, DeviceStateView)
  @ApiOperation({ summary: 'The state, now or at a time' })
  get(
    @Param() { device_id }: DevicePath,
    @Query() { at }: StateAt,
    @Context() context: CallContext,
  ): Promise<Reply<DeviceStateView>> {
    checkReader(context.caller, device_id);
    return this.bus.call(getState, { device_id, at }, context);
  }

  @Delete()
  @Allow(WRITERS, 204)
  @ApiOperation({ summary: 'End the state; its history stays, its version goes on' })
  async delete(
    @Param() { device_id }: DevicePath,
    @Context() context: CallContext,
    @Headers('if-match') if_match?: string,
  ): Promise<void> {
    await this.bus.call(deleteState, { device_id, conditions: preconditions(if_match) }, context);
  }

  @Get('history')
  @Allow(DATA_READERS, 200, HistoryPage)
  @ApiOperation({ summary: 'What was reported, newest first; as NDJSON or CSV all of it' })
  history(
    @Param() { device_id }: DevicePath,
    @Query() query: HistoryQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<HistoryPage> | Readable> {
    checkReader(context.caller, device_id);
    const page = (each: HistoryQuery): Promise<Reply<HistoryPage>> =>
      this.bus.call(queryHistory, { ...each, device_id }, context);
    return list({ query, page, rows: ({ history }) => history, row: HistoryEntry }, request, reply);
  }

  @Patch('desired')
  @AcceptsMergePatch()
  @ApiConsumes('application/json', MERGE_PATCH)
  @Allow(WRITERS, 200, DeviceStateView)
  @ApiOperation({ summary: 'Change what the device should become' })
  mergeDesired(
    @Param() { device_id }: DevicePath,
    @Body() desired: DesiredState,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
    @Headers('if-none-match') if_none_match?: string,
  ): Promise<Reply<DeviceStateView>> {
    return this.desire(device_id, desired, false, context, if_match, if_none_match);
  }

  @Put('desired')
  @Allow(WRITERS, 200, DeviceStateView)
  @ApiOperation({ summary: 'Replace what the device should become' })
  replaceDesired(
    @Param() { device_id }: DevicePath,
    @Body() desired: DesiredState,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
    @Headers('if-none-match') if_none_match?: string,
  ): Promise<Reply<DeviceStateView>> {
    return this.desire(device_id, desired, true, context, if_match, if_none_match);
  }

  private async report(
    device_id: string,
    report: StateReport,
    replaces: boolean,
    context: RequestContext,
    if_match?: string,
    if_none_match?: string,
  ): Promise<Reply<ReportedState>> {
    const conditions = preconditions(if_match, if_none_match);
    const write = { device_id, report, replaces, conditions, received_at: new Date().toISOString() };
    return this.bus.call(reportState, await reportToMake(write, context, this.devices), context);
  }

  private async desire(
    device_id: string,
    { data }: DesiredState,
    replaces: boolean,
    context: RequestContext,
    if_match?: string,
    if_none_match?: string,
  ): Promise<Reply<DeviceStateView>> {
    await this.devices.ensure(context, device_id);
    const conditions = preconditions(if_match, if_none_match);
    return this.bus.call(desireState, { data, device_id, replaces, conditions }, context);
  }
}

/** To a device, others of its project are as if they were not there. */
function checkReader({ role, principal }: Caller, device_id: string): void {
  if (role === 'device' && device_id !== principal) throw new Failure('not_found');
}
