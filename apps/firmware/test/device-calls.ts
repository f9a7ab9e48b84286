import { randomUUID } from 'node:crypto';
import {
  countAdoption,
  getCurrentFirmware,
  queryFirmware,
  recordFirmware,
  type Adoption,
  type CallContext,
  type FirmwareEvent,
  type FirmwarePage,
  type FirmwareQuery,
  type FirmwareReceipt,
  type NewFirmwareEvent,
  type Reply,
} from '#contracts';
import { contentHash } from '#database';
import { context } from '#testing';
import { type Firmware } from './start-firmware.js';

/** A valid event, with whatever a test cares about. */
export function anEvent(rest: Partial<NewFirmwareEvent> = {}): NewFirmwareEvent {
  return { firmware: '1.0.0', status: 'installed', ...rest };
}

/** One device of one project, and a reader beside it. */
export class DeviceCalls {
  constructor(
    private readonly service: Pick<Firmware, 'bus'>,
    readonly project_id: string = randomUUID(),
    readonly device_id: string = `pump ${randomUUID()}`,
  ) {}

  /** The same device over another connection. */
  over(bus: Firmware['bus']): DeviceCalls {
    return new DeviceCalls({ bus }, this.project_id, this.device_id);
  }

  record(event: Partial<NewFirmwareEvent> = {}, key?: string): Promise<Reply<FirmwareReceipt>> {
    return this.service.bus.call(recordFirmware, anEvent(event), this.context(anEvent(event), key));
  }

  async query(query: FirmwareQuery = {}): Promise<FirmwarePage> {
    const { device_id } = this;
    return (await this.service.bus.call(queryFirmware, { limit: 1000, ...query, device_id }, this.context()))
      .body;
  }

  async events(query: FirmwareQuery = {}): Promise<FirmwareEvent[]> {
    return (await this.query(query)).firmware_events;
  }

  async current(): Promise<string | null> {
    const { device_id } = this;
    return (await this.service.bus.call(getCurrentFirmware, { device_id }, this.context())).body.firmware;
  }

  /** Of all devices of the project. */
  async adoption(at?: string): Promise<Adoption> {
    return (await this.service.bus.call(countAdoption, { at }, this.context())).body;
  }

  private context(event?: NewFirmwareEvent, key?: string): CallContext {
    const { project_id, device_id } = this;
    const caller = { project_id, role: 'device', principal: device_id, address: device_id } as const;
    const idempotency = key && {
      route: 'POST /v1/devices/:device_id/firmware',
      key,
      content_hash: contentHash([device_id, event]),
    };
    return context(caller, { ...(idempotency && { idempotency }) });
  }
}
