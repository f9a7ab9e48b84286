import { mailboxOf } from '#contracts';

/** One walk along an index: the messages of which all that it says is so. */
export interface Side {
  recipient?: string;
  sender?: string;
  /** The id of the device that it is about. */
  about?: string;
}

/** Both directions between two mailboxes, which may be one. */
export function between(one: string, other: string): Side[] {
  const there: Side = { sender: one, recipient: other };
  return one === other ? [there] : [there, { sender: other, recipient: one }];
}

/**
 * Where to look for the messages that a reader may see and a filter lets through: each is on one side at least.
 * @param reader the mailbox of one who sees only messages to or from itself; undefined sees all
 */
export function sidesOf(reader: string | undefined, { recipient, sender }: Side = {}): Side[] {
  if (reader === undefined || recipient === reader || sender === reader) return [{ recipient, sender }];
  if (recipient !== undefined && sender !== undefined) return [];
  if (recipient !== undefined) return [{ recipient, sender: reader }];
  if (sender !== undefined) return [{ recipient: reader, sender }];
  return [{ recipient: reader }, { sender: reader }];
}

/** Where to look for the messages to, from or about a device that a reader may see, as `sidesOf`. */
export function sidesAround(device_id: string, reader: string | undefined): Side[] {
  const device = mailboxOf({ role: 'device', principal: device_id });
  if (reader === device) return sidesOf(reader);
  if (reader === undefined) return [...sidesOf(device), { about: device_id }];
  return [
    ...between(device, reader),
    { about: device_id, recipient: reader },
    { about: device_id, sender: reader },
  ];
}
