import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { launch, loadConfig, runService } from '#service';
import { MessagesConfig } from './messages.config.js';
import { MessagesModule } from './messages.module.js';

void launch(async () => {
  const config = loadConfig(MessagesConfig);
  const app = await NestFactory.createMicroservice(MessagesModule.forRoot(config), busServer());
  return runService(app, config, () => app.listen());
});
