import { Body, Controller, Get, Header, Post, Query } from '@nestjs/common';
import { EventQuery, NewEvent, type RecordedEvent } from '#contracts';
import { ENTITIES, SCHEMA } from '../../apps/activity-events/src/activity-events.entity.js';
import { ActivityEventsRepository } from '../../apps/activity-events/src/activity-events.repository.js';
import { ActivityEventsService } from '../../apps/activity-events/src/activity-events.service.js';
import { Project } from '../baselines/key.guard.js';
import { serveMonolith } from '../baselines/monolith.js';
import { EventInsert } from './event-insert.js';

/** Everything in one process: an INSERT for each request, and the product's own queries, without a bus between. */
@Controller('v1/events')
class MonolithController {
  constructor(
    private readonly insert: EventInsert,
    private readonly events: ActivityEventsService,
  ) {}

  @Post()
  record(@Body() event: NewEvent, @Project() project_id: string): Promise<RecordedEvent> {
    return this.insert.record(project_id, event);
  }

  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  async query(@Query() request: EventQuery, @Project() project_id: string): Promise<string | Uint8Array> {
    const caller = { project_id, role: 'admin', principal: '', address: '', key_id: '' } as const;
    return (await this.events.query({ request, caller, request_id: '' })).json;
  }
}

await serveMonolith(
  { schema: SCHEMA, entities: ENTITIES, searches: true },
  {
    controllers: [MonolithController],
    providers: [EventInsert, ActivityEventsService, ActivityEventsRepository],
  },
);
