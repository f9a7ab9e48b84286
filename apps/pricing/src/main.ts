import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { launch, loadConfig, runService } from '#service';
import { PricingConfig } from './pricing.config.js';
import { PricingModule } from './pricing.module.js';

void launch(async () => {
  const config = loadConfig(PricingConfig);
  const app = await NestFactory.createMicroservice(PricingModule.forRoot(config), busServer());
  return runService(app, config, () => app.listen());
});
