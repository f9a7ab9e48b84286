import { Body, Controller, Inject, Module, Post } from '@nestjs/common';
import { ClientProxy, ClientsModule } from '@nestjs/microservices';
import { type Observable } from 'rxjs';
import { NewEvent, type RecordedEvent } from '#contracts';
import { loadConfig } from '#service';
import { serveBaseline } from '../baselines/baseline-app.js';
import { BaselineConfig } from '../baselines/baseline.config.js';
import { Project } from '../baselines/key.guard.js';
import { RECORD, stockTransport, type StockCall } from './stock-call.js';

const CLIENT = 'stock client';

/** The HTTP side of the microservice as Nest's documentation has it: one message for each request. */
@Controller('v1/events')
class StockFrontController {
  constructor(@Inject(CLIENT) private readonly client: ClientProxy) {}

  @Post()
  record(@Body() event: NewEvent, @Project() project_id: string): Observable<RecordedEvent> {
    return this.client.send<RecordedEvent, StockCall>(RECORD, { project_id, event });
  }
}

@Module({})
class StockFrontModule {}

const config = loadConfig(BaselineConfig);
await serveBaseline(
  {
    module: StockFrontModule,
    imports: [ClientsModule.register([{ name: CLIENT, ...stockTransport(config.NATS_URL!) }])],
    controllers: [StockFrontController],
  },
  config,
);
