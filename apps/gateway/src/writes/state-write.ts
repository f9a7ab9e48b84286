import { Failure, type DeviceReport, type StateConditions, type StateReport } from '#contracts';
import { type DevicesService } from '../auth/devices.service.js';
import { type RequestContext } from '../auth/request-context.js';

interface StateWrite {
  device_id: string;
  report: StateReport;
  /** The report is the whole state instead of a patch. */
  replaces: boolean;
  conditions?: StateConditions;
  received_at: string;
}

/** What a caller may report: a device its own state, a member any device's, which is registered by it. */
export async function reportToMake(
  { device_id, report, ...rest }: StateWrite,
  context: RequestContext,
  devices: DevicesService,
): Promise<DeviceReport> {
  const { caller } = context;
  if (caller.role === 'device' && device_id !== caller.principal) {
    throw new Failure('forbidden', 'A device reports its own state');
  }
  await devices.ensure(context, device_id);
  return { ...report, device_id, ...rest };
}
