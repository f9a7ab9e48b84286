import { type Bus } from '#bus';
import { type SchemaUrls } from '#embedded';
import { type RunningService } from '#service';
import { testService } from '#testing';
import { Clock } from '../src/clock.js';
import { MessagesConfig } from '../src/messages.config.js';
import * as tables from '../src/messages.entity.js';
import { MessagesModule } from '../src/messages.module.js';
import { MIGRATIONS } from '../src/migrations/index.js';

/** A clock that also goes where it is told. */
export class SetClock extends Clock {
  private ahead_ms = 0;

  override now(): Date {
    return new Date(Date.now() + this.ahead_ms);
  }

  forward(ms: number): void {
    this.ahead_ms += ms;
  }
}

export interface Messages {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  clock: SetClock;
  urls: SchemaUrls;
  /** A further process of the service, with a clock of its own. */
  anotherReplica(clock: Clock): Promise<RunningService>;
  stop(): Promise<void>;
}

/** The service alone, over a real Postgres and a real NATS, for the tests of one file. */
export async function startMessages(): Promise<Messages> {
  const service = await testService({
    name: 'messages',
    config: MessagesConfig,
    module: MessagesModule,
    tables,
    migrations: MIGRATIONS,
  });
  const anotherReplica = (clock: Clock): Promise<RunningService> =>
    service.start({}, (config) => MessagesModule.forRoot(config, clock));
  const clock = new SetClock();
  await anotherReplica(clock);
  return { ...service, bus: await service.gateway(), clock, anotherReplica };
}
