import { Module, type DynamicModule } from '@nestjs/common';
import { BusConnection, BusModule } from '#bus';
import { Database, DatabaseModule } from '#database';
import { FeedModule, Relay } from '#feeds';
import { ServiceModule } from '#service';
import { Clock } from './clock.js';
import { ConversationsRepository } from './conversations.repository.js';
import { ConversationsService } from './conversations.service.js';
import { type MessagesConfig } from './messages.config.js';
import { MessagesController } from './messages.controller.js';
import { ENTITIES, SCHEMA } from './messages.entity.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesService } from './messages.service.js';
import { MESSAGE_FEED } from './message-feed.js';

@Module({})
export class MessagesModule {
  static forRoot(config: MessagesConfig, clock = new Clock()): DynamicModule {
    const name = 'messages';
    return {
      module: MessagesModule,
      imports: [
        BusModule.forRoot({ name, url: config.NATS_URL }),
        DatabaseModule.forRoot({
          schema: SCHEMA,
          url: config.DATABASE_URL,
          entities: ENTITIES,
          partitions: { table: 'messages' },
        }),
        FeedModule.forRoot(MESSAGE_FEED, config),
        ServiceModule.forRoot({
          name,
          config,
          parts: {
            inject: [Database, BusConnection, Relay],
            useFactory: (...parts: [Database, BusConnection, Relay<object>]) => parts.map(({ part }) => part),
          },
        }),
      ],
      controllers: [MessagesController],
      providers: [
        ...[MessagesService, MessagesRepository, ConversationsService, ConversationsRepository],
        { provide: Clock, useValue: clock },
      ],
    };
  }
}
