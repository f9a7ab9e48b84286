import { setFlagsFromString } from 'node:v8';
import { type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { withinProjects } from '#contracts';
import { AllowedMethods } from '../../apps/gateway/src/http/allowed-methods.js';
import { ContractPipe } from '../../apps/gateway/src/http/contract.pipe.js';
import { ProblemFilter } from '../../apps/gateway/src/problem.filter.js';
import { type BaselineConfig } from './baseline.config.js';
import { KeyGuard, projectsOf } from './key.guard.js';

/**
 * A plain Nest application on Fastify, as one would write it: Fastify's own JSON parser, the product's contracts
 * through the product's validator, its problems, and a key check.
 */
export async function serveBaseline(module: DynamicModule, config: BaselineConfig): Promise<void> {
  // As the product's apps have it.
  setFlagsFromString('--no-allocation-site-pretenuring');
  const adapter = new FastifyAdapter({ logger: false });
  // Behind the product's second wall, too: the tables are the same.
  adapter.getInstance().addHook('preHandler', (request, _, done) => {
    withinProjects(() => projectsOf(request), done);
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: ['error'] });
  app.useGlobalGuards(new KeyGuard(config.KEYS));
  app.useGlobalPipes(new ContractPipe());
  app.useGlobalFilters(new ProblemFilter(new AllowedMethods(adapter.getInstance())));
  await app.listen(config.PORT, '127.0.0.1');
  untilToldToStop(app);
}

/** Says that it serves; ends with SIGTERM, or with whoever started it. */
export function untilToldToStop(app: INestApplicationContext): void {
  const stop = (): void => void app.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  process.send?.({ serving: true });
}
