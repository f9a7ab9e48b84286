import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Bus } from './bus.js';
import { BusConnection, type BusOptions } from './connection.js';

/** Provides the process's `BusConnection` and the `Bus` to call others; closes them last. */
@Module({})
export class BusModule implements OnApplicationShutdown {
  constructor(
    private readonly connection: BusConnection,
    private readonly bus: Bus,
  ) {}

  static forRoot(options: BusOptions): DynamicModule {
    return {
      module: BusModule,
      global: true,
      providers: [
        { provide: BusConnection, useFactory: () => BusConnection.open(options) },
        {
          provide: Bus,
          inject: [BusConnection],
          useFactory: (connection: BusConnection) => new Bus(connection),
        },
      ],
      exports: [BusConnection, Bus],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.drain();
    await this.connection.close();
  }
}
