import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { type Reply } from '#contracts';
import { list } from '../http/listing.js';
import { Allow, OPERATOR, READERS, WRITERS } from './allow.js';
import { Context } from './call-context.js';
import { DevicesService } from './devices.service.js';
import { type RequestContext } from './request-context.js';
import {
  CreatedDevice,
  DeviceChange,
  DeviceMove,
  DeviceDetails,
  DevicePage,
  DevicePath,
  DeviceQuery,
  DeviceView,
  MoveQuery,
  NewDevice,
} from './resources.js';

@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(private readonly devices: DevicesService) {}

  @Post()
  @Allow(WRITERS, 201, CreatedDevice)
  @ApiOperation({ summary: 'Register a device, with a first key' })
  create(@Body() device: NewDevice, @Context() context: RequestContext): Promise<Reply<CreatedDevice>> {
    return this.devices.create(device, context);
  }

  @Get()
  @Allow(READERS, 200, DevicePage)
  @ApiOperation({ summary: 'List devices' })
  list(
    @Query() query: DeviceQuery,
    @Context() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<DevicePage> | Readable> {
    const page = (each: DeviceQuery): Promise<Reply<DevicePage>> => this.devices.page(each, context);
    return list({ query, page, rows: ({ devices }) => devices, row: DeviceView }, request, reply);
  }

  @Get(':device_id')
  @Allow(READERS, 200, DeviceDetails)
  @ApiOperation({ summary: 'One device, and the firmware that it runs' })
  get(@Param() { device_id }: DevicePath, @Context() context: RequestContext): Promise<Reply<DeviceDetails>> {
    return this.devices.get(device_id, context);
  }

  @Patch(':device_id')
  @Allow(WRITERS, 200, DeviceView)
  @ApiOperation({ summary: 'Change the name or the labels of a device' })
  change(
    @Param() { device_id }: DevicePath,
    @Body() change: DeviceChange,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<Reply<DeviceView>> {
    return this.devices.change(device_id, change, context, if_match);
  }

  @Delete(':device_id')
  @Allow(WRITERS, 204)
  @ApiOperation({ summary: 'Remove a device and its keys; what it wrote stays' })
  delete(
    @Param() { device_id }: DevicePath,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<void> {
    return this.devices.delete(device_id, context, if_match);
  }

  @Post(':device_id/move')
  @Allow(OPERATOR, 200, DeviceView)
  @ApiOperation({
    summary: 'Move a device and its keys to another project; what it wrote stays with the old one',
  })
  move(
    @Param() { device_id }: DevicePath,
    @Query() { from_project_id }: MoveQuery,
    @Body() { project_id }: DeviceMove,
    @Context() context: RequestContext,
  ): Promise<Reply<DeviceView>> {
    return this.devices.move(device_id, from_project_id, project_id, context);
  }
}
