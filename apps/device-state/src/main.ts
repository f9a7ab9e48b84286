import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { launch, loadConfig, runService } from '#service';
import { DeviceStateConfig } from './device-state.config.js';
import { DeviceStateModule } from './device-state.module.js';

void launch(async () => {
  const config = loadConfig(DeviceStateConfig);
  const app = await NestFactory.createMicroservice(DeviceStateModule.forRoot(config), busServer());
  return runService(app, config, () => app.listen());
});
