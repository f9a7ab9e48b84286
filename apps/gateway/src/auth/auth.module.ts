import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { GatewayConfig } from '../gateway.config.js';
import { AddressBook } from './address-book.js';
import { AddressesRepository } from './addresses.repository.js';
import { AuthGuard } from './auth.guard.js';
import { AuthWrites } from './auth-writes.js';
import { DeviceFirmware } from './device-firmware.js';
import { DevicesController } from './devices.controller.js';
import { DevicesRepository } from './devices.repository.js';
import { DevicesService } from './devices.service.js';
import { FirstStart } from './first-start.js';
import { KeyRing } from './key-ring.js';
import { KeysController } from './keys.controller.js';
import { KeysRepository } from './keys.repository.js';
import { KeysService } from './keys.service.js';
import { MeController } from './me.controller.js';
import { MembersController } from './members.controller.js';
import { MembersRepository } from './members.repository.js';
import { MembersService } from './members.service.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsRepository } from './projects.repository.js';
import { ProjectsService } from './projects.service.js';
import { RateLimiter } from './rate-limiter.js';
import { Revisions } from './revisions.js';
import { Turns } from './turns.js';

/** Who may speak: projects, members, devices, keys, and the guard in front of every route. */
@Module({})
export class AuthModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: AuthModule,
      imports: [DiscoveryModule],
      controllers: [ProjectsController, MembersController, DevicesController, KeysController, MeController],
      providers: [
        { provide: GatewayConfig, useValue: config },
        { provide: APP_GUARD, useClass: AuthGuard },
        ...[ProjectsRepository, MembersRepository, DevicesRepository, KeysRepository, AddressesRepository],
        ...[KeyRing, Revisions, RateLimiter, Turns, FirstStart, AuthWrites, DeviceFirmware],
        ...[ProjectsService, MembersService, DevicesService, KeysService, AddressBook],
      ],
      exports: [GatewayConfig, AddressBook, DevicesService, KeyRing, Revisions],
    };
  }
}
