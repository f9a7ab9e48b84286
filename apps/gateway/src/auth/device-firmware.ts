import { Injectable } from '@nestjs/common';
import { Bus } from '#bus';
import { Failure, getCurrentFirmware, type CallContext } from '#contracts';

/** A look at a device does not wait longer for another service. */
const PATIENCE_MS = 1_000;

/** What a device runs, from the service that knows. */
@Injectable()
export class DeviceFirmware {
  constructor(private readonly bus: Bus) {}

  /** Null when the device has installed nothing; undefined when the service cannot say right now. */
  async of(device_id: string, context: CallContext): Promise<string | null | undefined> {
    try {
      return (await this.bus.call(getCurrentFirmware, { device_id }, context, PATIENCE_MS)).body.firmware;
    } catch (error) {
      if (error instanceof Failure && error.code === 'unavailable') return undefined;
      throw error;
    }
  }
}
