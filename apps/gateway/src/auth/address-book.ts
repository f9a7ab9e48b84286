import { Injectable } from '@nestjs/common';
import { mailboxOf, type Caller, type Correspondent } from '#contracts';
import { AddressesRepository, type AddressHolder } from './addresses.repository.js';
import { Gathering } from './gathering.js';
import { Revisions } from './revisions.js';

const MAX_KNOWN = 200_000;

/** Who has which address. A member comes first: nobody takes a member's mail by the id of a device. */
@Injectable()
export class AddressBook {
  /** Forgotten whenever any right changes, changes of addresses among them. */
  private readonly known = new Map<string, Correspondent>();
  private changes = 0;
  private readonly questions = new Gathering<string, AddressHolder | undefined>((project_id, addresses) =>
    this.holders(project_id, addresses),
  );

  constructor(
    private readonly repository: AddressesRepository,
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
    const holder = await this.questions.ask(project_id, address);
    if (!holder) return { address };
    const found = { address: holder.address, mailbox: mailboxOf(holder) };
    // A new member is no change of rights: it must not be hidden behind a device that is remembered.
    const mayChange = holder.role === 'device' && address.includes('@');
    if (changes === this.changes && !mayChange) this.remember(name, found);
    return found;
  }

  /** Who sends: the caller, or whom an admin names. Without a mailbox when the caller may not send as whom it names. */
  async senderOf(caller: Caller, address = caller.address): Promise<Correspondent> {
    const self = { address: caller.address, mailbox: mailboxOf(caller) };
    // A device may have a member's address for its id.
    const mayBeAnother = caller.role === 'device' && address.includes('@');
    if (address === caller.address && !mayBeAnother) return self;
    const named = await this.find(caller, address);
    return caller.role === 'admin' || named.mailbox === self.mailbox ? named : { address };
  }

  private async holders(project_id: string, addresses: string[]): Promise<(AddressHolder | undefined)[]> {
    const found = await this.repository.holders(project_id, [...new Set(addresses)]);
    const holderOf = new Map<string, AddressHolder>();
    for (const holder of found)
      if (holder.role === 'member' || !holderOf.has(holder.asked)) holderOf.set(holder.asked, holder);
    return addresses.map((address) => holderOf.get(address));
  }

  private remember(name: string, found: Correspondent): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(name, found);
  }
}
