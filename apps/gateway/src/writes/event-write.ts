import { Failure, type NewEvent } from '#contracts';
import { type DevicesService } from '../auth/devices.service.js';
import { type RequestContext } from '../auth/request-context.js';

/** What a caller may have recorded: a device's event is its own, and what a member names is registered by it. */
export async function eventToRecord(
  event: NewEvent,
  context: RequestContext,
  devices: DevicesService,
): Promise<NewEvent> {
  const { caller } = context;
  if (caller.role === 'device') {
    const { device_id = caller.principal } = event;
    if (device_id !== caller.principal) throw new Failure('forbidden', 'A device records events of its own');
    return { ...event, device_id };
  }
  if (event.device_id !== undefined) await devices.ensure(context, event.device_id);
  return event;
}
