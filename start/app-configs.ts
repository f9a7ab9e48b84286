import { ActivityEventsConfig } from '../apps/activity-events/src/activity-events.config.js';
import { DeviceStateConfig } from '../apps/device-state/src/device-state.config.js';
import { FirmwareConfig } from '../apps/firmware/src/firmware.config.js';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { MessagesConfig } from '../apps/messages/src/messages.config.js';
import { PricingConfig } from '../apps/pricing/src/pricing.config.js';
import { type AppName } from './app-schema.js';

/** What each app is told. */
export const CONFIGS: Record<AppName, new () => object> = {
  gateway: GatewayConfig,
  'activity-events': ActivityEventsConfig,
  'device-state': DeviceStateConfig,
  firmware: FirmwareConfig,
  pricing: PricingConfig,
  messages: MessagesConfig,
};
