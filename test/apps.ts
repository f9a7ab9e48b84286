import { join } from 'node:path';
import { ActivityEventsConfig } from '../apps/activity-events/src/activity-events.config.js';
import { DeviceStateConfig } from '../apps/device-state/src/device-state.config.js';
import { FirmwareConfig } from '../apps/firmware/src/firmware.config.js';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { MessagesConfig } from '../apps/messages/src/messages.config.js';
import { PricingConfig } from '../apps/pricing/src/pricing.config.js';
import { SCHEMAS } from '../start/app-schema.js';

export const ROOT = join(import.meta.dirname, '..');

export const APPS = Object.keys(SCHEMAS).sort();

/** What each app is told. */
export const CONFIGS: Record<string, new () => object> = {
  gateway: GatewayConfig,
  'activity-events': ActivityEventsConfig,
  'device-state': DeviceStateConfig,
  firmware: FirmwareConfig,
  pricing: PricingConfig,
  messages: MessagesConfig,
};

/** The app that one of our images is of. */
export function appOf(image: string): string {
  return image.replace(/^flotilla\//, '').replace(/:.*$/, '');
}
