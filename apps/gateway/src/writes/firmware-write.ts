import { Failure, type Caller } from '#contracts';

export const FIRMWARE_REPORTERS = ['device'] as const;

/** @throws Failure `forbidden` unless it is the device itself that calls */
export function checkFirmwareOwner(device_id: string, caller: Caller): void {
  if (device_id !== caller.principal) throw new Failure('forbidden', 'A device reports firmware of its own');
}
