import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NewEvent, Reply } from '#contracts';
import { launch, loadConfig, runService } from '#service';
import { Allow, READERS, WRITERS } from '../../apps/gateway/src/auth/allow.js';
import { GatewayConfig } from '../../apps/gateway/src/gateway.config.js';
import { GatewayModule } from '../../apps/gateway/src/gateway.module.js';
import { httpAdapter, prepareHttp } from '../../apps/gateway/src/http/http-server.js';

/** Takes requests as the gateway does, key, parser and contract included, and does nothing with them. */
@Controller('v1/bench')
class SilentController {
  @Post('events')
  @Allow(WRITERS, 201)
  take(@Body() event: NewEvent): Reply<NewEvent> {
    return Reply.of(event);
  }

  @Get('nothing')
  @Allow(READERS, 200)
  answer(): Reply<object> {
    return Reply.of({});
  }
}

@Module({})
class SilentGatewayModule {}

void launch(async () => {
  const config = loadConfig(GatewayConfig);
  const module = {
    module: SilentGatewayModule,
    imports: [GatewayModule.forRoot(config)],
    controllers: [SilentController],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, httpAdapter(config), {
    bufferLogs: true,
    bodyParser: false,
  });
  prepareHttp(app);
  return runService(app, config, () => app.listen(config.PORT, '127.0.0.1'));
});
