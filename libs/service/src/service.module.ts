import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { LoggerModule } from 'nestjs-pino';
import { type AppConfig } from './config.js';
import { HealthController, PARTS, type Part } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';

export interface ServiceOptions {
  name: string;
  config: AppConfig;
  /** What this app needs, for its health. */
  parts: Omit<FactoryProvider<Part[]>, 'provide'>;
}

/** What every app has beside its own purpose: JSON logs, health, a life cycle. */
@Module({})
export class ServiceModule {
  static forRoot({ name, config, parts }: ServiceOptions): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [
        TerminusModule.forRoot({ logger: false }),
        LoggerModule.forRoot({
          pinoHttp: { name, level: config.LOG_LEVEL, autoLogging: false, quietReqLogger: true },
          forRoutes: [],
        }),
      ],
      controllers: [HealthController],
      providers: [Lifecycle, { provide: PARTS, ...parts }],
      exports: [Lifecycle, TerminusModule],
    };
  }
}
