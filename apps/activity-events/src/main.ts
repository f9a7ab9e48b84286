import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { launch, loadConfig, runService } from '#service';
import { ActivityEventsConfig } from './activity-events.config.js';
import { ActivityEventsModule } from './activity-events.module.js';

void launch(async () => {
  const config = loadConfig(ActivityEventsConfig);
  const app = await NestFactory.createMicroservice(ActivityEventsModule.forRoot(config), busServer());
  return runService(app, config, () => app.listen());
});
