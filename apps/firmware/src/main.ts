import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { launch, loadConfig, runService } from '#service';
import { FirmwareConfig } from './firmware.config.js';
import { FirmwareModule } from './firmware.module.js';

void launch(async () => {
  const config = loadConfig(FirmwareConfig);
  const app = await NestFactory.createMicroservice(FirmwareModule.forRoot(config), busServer());
  return runService(app, config, () => app.listen());
});
