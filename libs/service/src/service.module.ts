import { Inject, Logger, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { LoggerModule } from 'nestjs-pino';
import { idsOfServed, SpanExport, type SpanExportOptions } from '#tracing';
import { AppConfig } from './config.js';
import { HealthController, PARTS, type Part } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';
import { Metrics } from './metrics.js';

export interface ServiceOptions {
  name: string;
  config: AppConfig;
  /** What this app needs, for its health and its metrics. */
  parts: Omit<FactoryProvider<Part[]>, 'provide'>;
}

/** What every app has beside its own purpose: JSON logs, health, metrics, a life cycle. */
@Module({})
export class ServiceModule {
  constructor(metrics: Metrics, config: AppConfig, @Inject(PARTS) parts: Part[]) {
    for (const { name, gauges = {}, measure, narrate } of parts) {
      measure?.(metrics);
      if (config.isTalkative) {
        const logger = new Logger(name);
        narrate?.((line) => logger.debug(line));
      }
      for (const [name, { help, read }] of Object.entries(gauges)) metrics.gauge(name, help, read);
    }
  }

  static forRoot({ name, config, parts }: ServiceOptions): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [
        TerminusModule.forRoot({ logger: false }),
        LoggerModule.forRoot({
          pinoHttp: {
            name,
            level: config.LOG_LEVEL,
            autoLogging: false,
            quietReqLogger: true,
            mixin: idsOfServed,
            redact: ['*.authorization', '*.api_key', '*["x-api-key"]', '*.key', '*.body'],
          },
          forRoutes: [],
        }),
      ],
      controllers: [HealthController],
      providers: [
        Lifecycle,
        Metrics,
        { provide: AppConfig, useValue: config },
        { provide: SpanExport, useFactory: () => SpanExport.open(spanExportOf(name, config)) },
        { provide: PARTS, ...parts },
      ],
      exports: [Lifecycle, Metrics],
    };
  }
}

function spanExportOf(name: string, config: AppConfig): SpanExportOptions {
  return { name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT, percent: config.TRACES_PERCENT };
}
