/** What orders the events of a device: its own time, and among equal times the id. */
export interface Place {
  timestamp: string;
  id: string;
}

/** From here on the device runs this version. */
export interface Install extends Place {
  firmware: string;
}

/** From this moment on, so many more devices run this version. */
export interface AdoptionChange {
  timestamp: string;
  firmware: string;
  change: number;
}

export function isInstall(status: string): boolean {
  return status === 'installed' || status === 'updated';
}

/** Timestamps are RFC 3339 in UTC to the millisecond: their text has their order. */
export function isAfter(one: Place, other: Place): boolean {
  return one.timestamp === other.timestamp ? one.id > other.id : one.timestamp > other.timestamp;
}

/**
 * Puts an install into the history of its device, whenever it arrives, and says what that changes: the version
 * counts from here to the next install, and the one before counts no longer than here.
 * @param history installs in their order; at least the nearest before and the nearest after, where there are any
 */
export function addInstall(history: Install[], install: Install): AdoptionChange[] {
  const following = history.findIndex((other) => isAfter(other, install));
  const at = following < 0 ? history.length : following;
  const before = history[at - 1];
  const after = history[at];
  history.splice(at, 0, install);

  const changes = [{ timestamp: install.timestamp, firmware: install.firmware, change: 1 }];
  if (before) changes.push({ timestamp: install.timestamp, firmware: before.firmware, change: -1 });
  if (after) changes.push({ timestamp: after.timestamp, firmware: install.firmware, change: -1 });
  // The one after had taken the place of the one before; that is now told further up.
  if (after && before) changes.push({ timestamp: after.timestamp, firmware: before.firmware, change: 1 });
  return changes;
}
