/** One walk along an index: from this mailbox, to that one, or both; every message when it says neither. */
export interface Side {
  recipient?: string;
  sender?: string;
  /** Not to this one: another side has those. */
  except_recipient?: string;
}

/** Both directions between two mailboxes, which may be one. */
export function between(one: string, other: string): Side[] {
  const there: Side = { sender: one, recipient: other };
  return one === other ? [there] : [there, { sender: other, recipient: one }];
}

/**
 * Where to look for the messages that a reader may see and a filter lets through: each is on exactly one side.
 * @param reader the mailbox of one who sees only messages to or from itself; undefined sees all
 */
export function sidesOf(reader: string | undefined, { recipient, sender }: Side): Side[] {
  if (reader === undefined || recipient === reader || sender === reader) return [{ recipient, sender }];
  if (recipient !== undefined && sender !== undefined) return [];
  if (recipient !== undefined) return [{ recipient, sender: reader }];
  if (sender !== undefined) return [{ recipient: reader, sender }];
  return [{ recipient: reader }, { sender: reader, except_recipient: reader }];
}
