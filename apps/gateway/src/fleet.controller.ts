import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  DEFAULT_LIMIT,
  DeviceStateView,
  getStates,
  LabelledFleetQuery,
  queryStates,
  Reply,
  StatePage,
  type CallContext,
} from '#contracts';
import { encodeCursor } from '#database';
import { Allow, DATA_READERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { DevicesService } from './auth/devices.service.js';
import { type DevicePage } from './auth/resources.js';
import { list } from './http/listing.js';

/** A page ends early rather than ask more often than this for states of labelled devices. */
const ROUNDS = 5;
/** A page of at least this many characters ends, whatever its limit. */
const PAGE_CHARACTERS = 4 * 1024 * 1024;

@ApiTags('device state')
@Controller('v1/states')
export class FleetController {
  constructor(
    private readonly bus: Bus,
    private readonly devices: DevicesService,
  ) {}

  @Get()
  @Allow(DATA_READERS, 200, StatePage)
  @ApiOperation({ summary: 'The states of the fleet, now or at a time; as NDJSON or CSV all of them' })
  states(
    @Query() query: LabelledFleetQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<StatePage> | Readable> {
    const page = ({ label, ...each }: LabelledFleetQuery): Promise<Reply<StatePage>> =>
      label === undefined
        ? this.bus.call(queryStates, each, context)
        : this.labelled({ ...each, label }, context);
    return list({ query, page, rows: ({ states }) => states, row: DeviceStateView }, request, reply);
  }

  /**
   * Labels are the gateway's, states are the service's: a page walks the labelled devices in the order of their
   * registration, a bounded number at a time, and asks for the states of exactly those.
   */
  private async labelled(query: LabelledFleetQuery, context: CallContext): Promise<Reply<StatePage>> {
    const { label, order, limit = DEFAULT_LIMIT, updated_since, at } = query;
    const states: DeviceStateView[] = [];
    let cursor: string | null | undefined = query.cursor;
    let characters = 0;
    for (let round = 0; round < ROUNDS && characters < PAGE_CHARACTERS; round += 1) {
      const room = limit - states.length;
      const devices: Reply<DevicePage> = await this.devices.page(
        { label, order, limit: room, cursor: cursor ?? undefined },
        context,
      );
      const some = devices.body;
      const device_ids = some.devices.map(({ id }) => id);
      const found = await this.bus.call(getStates, { device_ids, updated_since, at }, context);
      states.push(...found.body.states);
      characters += found.json.length;
      cursor = some.next_cursor;
      if (found.body.next_cursor !== null) {
        const last = some.devices.find(({ id }) => id === states.at(-1)!.device_id)!;
        cursor = encodeCursor([last.created_at, last.id]);
        break;
      }
      if (cursor === null || states.length === limit) break;
    }
    return Reply.of({ states, next_cursor: cursor ?? null }, { next_cursor: cursor ?? undefined });
  }
}
