import { Injectable } from '@nestjs/common';
import { Failure, mailboxOf, type Caller, type Correspondent } from '#contracts';
import { Database } from '#database';
import { Revisions } from './revisions.js';

const MAX_KNOWN = 200_000;

const HOLDERS = `
  SELECT 'member' AS role, id::text AS principal, email AS address FROM auth.members
  WHERE project_id = $1 AND lower(email) = lower($2)
  UNION ALL
  SELECT 'device', id, id FROM auth.devices WHERE project_id = $1 AND id = $2`;

interface Holder {
  role: 'member' | 'device';
  principal: string;
  address: string;
}

/** Who has which address. A member comes first: nobody takes a member's mail by the id of a device. */
@Injectable()
export class AddressBook {
  /** Forgotten whenever any right changes, changes of addresses among them. */
  private readonly known = new Map<string, Correspondent>();
  private changes = 0;

  constructor(
    private readonly database: Database,
    private readonly revisions: Revisions,
  ) {
    revisions.onChange(() => {
      this.changes += 1;
      this.known.clear();
    });
  }

  /** Without a mailbox when nobody in the project has the address. */
  async find({ project_id }: Caller, address: string): Promise<Correspondent> {
    const name = `${project_id} ${address}`;
    const known = this.known.get(name);
    if (known && this.revisions.isTrusted) return known;
    const { changes } = this;
    const holders = await this.database.prepared<Holder>('address-holders', HOLDERS, [project_id, address]);
    const holder = holders.find(({ role }) => role === 'member') ?? holders[0];
    if (!holder) return { address };
    const found = { address: holder.address, mailbox: mailboxOf(holder) };
    // A new member is no change of rights: it must not be hidden behind a device that is remembered.
    const mayChange = holder.role === 'device' && address.includes('@');
    if (changes === this.changes && !mayChange) this.remember(name, found);
    return found;
  }

  /** Who sends: the caller, or whom an admin names. @throws Failure `forbidden` to others who name another */
  async senderOf(caller: Caller, address: string | undefined): Promise<Correspondent> {
    const self = { address: caller.address, mailbox: mailboxOf(caller) };
    if (address === undefined || address === caller.address) return self;
    const named = await this.find(caller, address);
    if (caller.role === 'admin' || named.mailbox === self.mailbox) return named;
    throw new Failure('forbidden', 'Only an admin sends in the name of another');
  }

  private remember(name: string, found: Correspondent): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(name, found);
  }
}
