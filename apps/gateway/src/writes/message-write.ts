import { Failure, type MessageToSend, type NewMessage } from '#contracts';
import { type AddressBook } from '../auth/address-book.js';
import { type DevicesService } from '../auth/devices.service.js';
import { type RequestContext } from '../auth/request-context.js';

/** What a caller may send, with its two ends looked up, and the device that it is about registered. */
export async function messageToSend(
  content: NewMessage,
  context: RequestContext,
  addresses: AddressBook,
  devices: DevicesService,
): Promise<MessageToSend> {
  const { caller } = context;
  const from = await addresses.senderOf(caller, content.sender);
  const to = await addresses.find(caller, content.recipient);
  if (content.device_id !== undefined) {
    if (caller.role === 'device' && content.device_id !== caller.principal) {
      throw new Failure('forbidden', 'A device writes about itself');
    }
    // What is refused registers nothing.
    if (from.mailbox !== undefined && to.mailbox !== undefined)
      await devices.ensure(context, content.device_id);
  }
  return { from, to, content };
}
