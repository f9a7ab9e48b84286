import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import { type RecordedEvent, withinProjects } from '#contracts';
import { loadConfig } from '#service';
import { ENTITIES, SCHEMA } from '../../apps/activity-events/src/activity-events.entity.js';
import { untilToldToStop } from '../baselines/baseline-app.js';
import { BaselineConfig } from '../baselines/baseline.config.js';
import { PooledDatabaseModule } from '../baselines/pooled-database.module.js';
import { EventInsert } from './event-insert.js';
import { RECORD, stockTransport, type StockCall } from './stock-call.js';

/** The service behind the stock transport: one INSERT for each message. */
@Controller()
class StockServiceController {
  constructor(private readonly insert: EventInsert) {}

  @MessagePattern(RECORD)
  record(@Payload() { project_id, event }: StockCall): Promise<RecordedEvent> {
    return withinProjects(
      () => [project_id],
      () => this.insert.record(project_id, event),
    );
  }
}

@Module({})
class StockServiceModule {}

const config = loadConfig(BaselineConfig);
const options = { schema: SCHEMA, url: config.DATABASE_URL!, entities: ENTITIES, searches: true };
const module = {
  module: StockServiceModule,
  imports: [PooledDatabaseModule.forRoot(options, config.POOL_SIZE)],
  controllers: [StockServiceController],
  providers: [EventInsert],
};
const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
  ...stockTransport(config.NATS_URL!),
  logger: ['error'],
});
await app.listen();
untilToldToStop(app);
