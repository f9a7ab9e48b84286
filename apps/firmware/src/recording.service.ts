import { Injectable } from '@nestjs/common';
import {
  parseTimestamp,
  Reply,
  type Call,
  type FirmwareReceipt,
  type NewFirmwareEvent,
  type Outcome,
} from '#contracts';
import { keyOf, type Named } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { spread } from './adoption-spans.js';
import { DeviceLog, type Device, type Report } from './device-log.js';
import { isAfter, isInstall, type Place } from './install-history.js';
import { RecordingRepository, type DeviceName, type Recording } from './recording.repository.js';

interface Write extends Named {
  report: Report;
}

@Injectable()
export class RecordingService {
  constructor(private readonly recordings: RecordingRepository) {}

  record(calls: Call<NewFirmwareEvent>[]): Promise<Outcome<FirmwareReceipt>[]> {
    return this.recordings.together(calls.map(writeOf), async (fresh, recording) => {
      const reports = fresh.map(({ report }) => report);
      const receipts = await recordAll(recording, reports);
      return receipts.map((receipt) =>
        Reply.of(receipt, receipt.result === 'duplicate' ? { repeated: true } : {}),
      );
    });
  }
}

/** A receipt for each report, in their order. What they change is written, and stands when the transaction does. */
async function recordAll(recording: Recording, reports: Report[]): Promise<FirmwareReceipt[]> {
  const names = new Map(reports.map((report) => [nameOf(report), report]));
  const { devices, now } = await recording.read([...names.values()]);
  const logs = await openLogs(recording, devices, reports);

  const receipts = reports.map((report): FirmwareReceipt => {
    const { event, isRepeat } = logs.get(nameOf(report))!.take(report, now);
    const { id, device_id, firmware, status, timestamp, created_at } = event;
    const result = isRepeat ? 'duplicate' : 'applied';
    return { id, device_id, firmware, status, timestamp, created_at, result };
  });

  const changed = [...logs.values()].filter(({ added }) => added.length > 0);
  const ofProject = <T>(items: (log: DeviceLog) => T[]): (T & { project_id: string })[] =>
    changed.flatMap((log) => items(log).map((item) => ({ ...item, project_id: log.device.project_id })));
  await recording.insert(ofProject(({ added }) => added));
  await recording.save(changed.map(({ device }) => device));
  await recording.addToAdoption(spread(ofProject(({ changes }) => changes)));
  return receipts;
}

/** The logs of these devices, with as much of the past as the reports need: almost always none. */
async function openLogs(
  recording: Recording,
  devices: Device[],
  reports: Report[],
): Promise<Map<string, DeviceLog>> {
  const deviceOf = new Map(devices.map((device) => [nameOf(device), device]));
  const dated = reports.filter((report): report is Report & Place => report.timestamp !== undefined);
  // What is later than all that its device said before repeats nothing, and comes before nothing.
  const old = dated.filter((report) => {
    const { newest } = deviceOf.get(nameOf(report))!;
    return newest && report.timestamp <= newest.timestamp;
  });
  const oldInstalls = old.filter((report) => {
    const { current } = deviceOf.get(nameOf(report))!;
    return isInstall(report.status) && current && isAfter(current, report);
  });
  const kept = Map.groupBy(await recording.findSame(old), nameOf);
  const around = Map.groupBy(await recording.findInstallsAround(oldInstalls), nameOf);
  return new Map(
    [...deviceOf].map(([name, device]) => [
      name,
      new DeviceLog(device, kept.get(name) ?? [], around.get(name) ?? []),
    ]),
  );
}

function writeOf({ request, ...context }: Call<NewFirmwareEvent>): Write {
  const { firmware, status, timestamp } = request;
  const { project_id, principal: device_id } = context.caller;
  return {
    report: {
      project_id,
      device_id,
      id: uuidv7(),
      firmware,
      status,
      timestamp: timestamp === undefined ? undefined : parseTimestamp(timestamp)!.toISOString(),
    },
    names: keyOf(context),
  };
}

function nameOf({ project_id, device_id }: DeviceName): string {
  return `${project_id} ${device_id}`;
}
