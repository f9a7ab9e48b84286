import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  Adoption,
  AdoptionQuery,
  countAdoption,
  Failure,
  FirmwareEvent,
  FirmwareOwner,
  FirmwarePage,
  FirmwareQuery,
  FirmwareReceipt,
  NewFirmwareEvent,
  queryFirmware,
  recordFirmware,
  Reply,
  type CallContext,
  type DeviceFirmwareQuery,
} from '#contracts';
import { Allow, DATA_READERS, READERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicesService } from './auth/devices.service.js';
import { list } from './http/listing.js';
import { checkFirmwareOwner, FIRMWARE_REPORTERS } from './writes/firmware-write.js';

@ApiTags('firmware')
@Controller('v1')
export class FirmwareController {
  constructor(
    private readonly bus: Bus,
    private readonly devices: DevicesService,
  ) {}

  @Post('devices/:device_id/firmware')
  @Allow(FIRMWARE_REPORTERS, 201, FirmwareReceipt)
  @ApiOkResponse({ type: FirmwareReceipt, description: 'The same event again: the first.' })
  @ApiOperation({ summary: 'Report a firmware event, as the device itself' })
  record(
    @Param() { device_id }: FirmwareOwner,
    @Body() event: NewFirmwareEvent,
    @Context() context: CallContext,
  ): Promise<Reply<FirmwareReceipt>> {
    checkFirmwareOwner(device_id, context.caller);
    return this.bus.call(recordFirmware, event, context);
  }

  @Get('devices/:device_id/firmware')
  @Allow(DATA_READERS, 200, FirmwarePage)
  @ApiOperation({ summary: 'Firmware events of a device, newest first; as NDJSON or CSV all of them' })
  query(
    @Param() { device_id }: FirmwareOwner,
    @Query() query: FirmwareQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<FirmwarePage> | Readable> {
    const page = (each: FirmwareQuery): Promise<Reply<FirmwarePage>> =>
      this.page({ ...each, device_id }, context);
    return list({ query, page, rows: (one) => one.firmware_events, row: FirmwareEvent }, request, reply);
  }

  @Get('firmware/adoption')
  @Allow(READERS, 200, Adoption)
  @ApiOperation({ summary: 'How many devices run which version, now or at a time' })
  adoption(@Query() query: AdoptionQuery, @Context() context: CallContext): Promise<Reply<Adoption>> {
    return this.bus.call(countAdoption, query, context);
  }

  /** What a device has left here stays when it moves or goes; one that has reported nothing yet must be registered. */
  private async page(query: DeviceFirmwareQuery, context: CallContext): Promise<Reply<FirmwarePage>> {
    try {
      return await this.bus.call(queryFirmware, query, context);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'not_found') throw error;
      await this.devices.find(context.caller, query.device_id);
      return Reply.of({ firmware_events: [], current_firmware: null, next_cursor: null });
    }
  }
}
