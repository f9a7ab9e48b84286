import { Injectable } from '@nestjs/common';
import {
  parseTimestamp,
  Reply,
  type Call,
  type Failure,
  type FirmwareReceipt,
  type NewFirmwareEvent,
} from '#contracts';
import { type Claim } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { spread } from './adoption-spans.js';
import { DeviceLog, type Device, type Report } from './device-log.js';
import { isAfter, isInstall, type Place } from './install-history.js';
import { RecordingRepository, type DeviceName, type Recording } from './recording.repository.js';

/** A report and its idempotency key; what it is answered is known only when its device's log has taken it. */
interface Write {
  report: Report;
  key?: Claim;
}

@Injectable()
export class RecordingService {
  constructor(private readonly recordings: RecordingRepository) {}

  record(calls: Call<NewFirmwareEvent>[]): Promise<(Reply<FirmwareReceipt> | Failure)[]> {
    const writes = calls.map(writeOf);
    const devices = writes.map(({ report }) => report);
    return this.recordings.together(devices, async (recording) => {
      const keyed = writes.filter(({ key }) => key);
      const claimed = await recording.claim(keyed.map(({ key }) => key!));
      const claimOf = new Map(keyed.map((write, index) => [write, claimed[index]!]));
      const fresh = writes.filter((write) => claimOf.get(write)?.first ?? true);

      const receipts = await recordAll(
        recording,
        fresh.map(({ report }) => report),
      );
      const receiptOf = new Map(fresh.map((write, index) => [write, receipts[index]!]));
      for (const [{ key }, receipt] of receiptOf) if (key) key.answer = JSON.stringify(receipt);
      const answered = fresh.flatMap(({ key }) => key ?? []);
      await recording.keepAnswers(answered);

      // Repeats of a key within this very frame asked for its answer before there was one.
      const answers = new Map(answered.map((key) => [keyName(key), key.answer]));
      return writes.map((write) => {
        const receipt = receiptOf.get(write);
        if (receipt) return replyOf(receipt);
        const claim = claimOf.get(write)!;
        if ('conflict' in claim) return claim.conflict;
        const answer = answers.get(keyName(write.key!)) ?? (claim as { answer: string }).answer;
        return replyOf(JSON.parse(answer) as FirmwareReceipt, true);
      });
    });
  }
}

/** A receipt for each report, in their order. What they change is written, and stands when the transaction does. */
async function recordAll(recording: Recording, reports: Report[]): Promise<FirmwareReceipt[]> {
  if (reports.length === 0) return [];
  const names = new Map(reports.map((report) => [nameOf(report), report]));
  const logs = await openLogs(recording, await recording.read([...names.values()]), reports);

  const now = new Date().toISOString();
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

function writeOf({ request, caller, idempotency }: Call<NewFirmwareEvent>): Write {
  const { firmware, status, timestamp } = request;
  const { project_id, principal: device_id } = caller;
  return {
    report: {
      project_id,
      device_id,
      id: uuidv7(),
      firmware,
      status,
      timestamp: timestamp === undefined ? undefined : parseTimestamp(timestamp)!.toISOString(),
    },
    key: idempotency && { ...idempotency, project_id, answer: '' },
  };
}

function nameOf({ project_id, device_id }: DeviceName): string {
  return `${project_id} ${device_id}`;
}

function keyName({ project_id, route, key }: Claim): string {
  return JSON.stringify([project_id, route, key]);
}

function replyOf(receipt: FirmwareReceipt, replayed = false): Reply<FirmwareReceipt> {
  const repeated = receipt.result === 'duplicate';
  return Reply.of(receipt, { ...(replayed && { replayed }), ...(repeated && { repeated }) });
}
