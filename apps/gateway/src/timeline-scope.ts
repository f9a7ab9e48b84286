import { entryKindsOf, Failure, type Caller, type EntryKind } from '#contracts';

/** Which entries of its project a caller asks for; which of them it may see is said by each entry. */
export interface EntryScope {
  kinds: readonly EntryKind[];
  /** Only what concerns it. */
  device_id?: string;
}

/**
 * What a caller asks for who names some kinds, or a device, or neither: what is its own, for a device.
 * @throws Failure `not_found` to a device that asks for another
 */
export function scopeOf({ role, principal }: Caller, kinds?: string, asked?: string): EntryScope {
  if (role === 'device' && asked !== undefined && asked !== principal) throw new Failure('not_found');
  const device_id = role === 'device' ? principal : asked;
  // Prices are about no device, and no matter of one that asks.
  return {
    kinds: entryKindsOf(kinds).filter((kind) => kind !== 'price' || device_id === undefined),
    device_id,
  };
}
