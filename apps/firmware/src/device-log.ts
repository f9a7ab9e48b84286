import { type FirmwareEvent } from '#contracts';
import { addInstall, isAfter, isInstall, type AdoptionChange, type Install } from './install-history.js';

/** What a device says, with the id that it gets if it is new. Without a timestamp it is of now. */
export interface Report {
  project_id: string;
  device_id: string;
  id: string;
  firmware: string;
  status: string;
  timestamp?: string;
}

/** What is kept of a device between its events. */
export interface Device {
  project_id: string;
  device_id: string;
  newest: FirmwareEvent | null;
  current: Install | null;
}

export interface Verdict {
  event: FirmwareEvent;
  isRepeat: boolean;
}

/**
 * The events of one device as they arrive, in any order: which are new, which are repeats, what is newest, what
 * the device runs, and how that changes adoption. Knows only as much of the past as the reports at hand need.
 */
export class DeviceLog {
  readonly added: FirmwareEvent[] = [];
  readonly changes: AdoptionChange[] = [];
  private readonly known: Map<string, FirmwareEvent>;
  private readonly installs: Install[];

  /**
   * @param kept events that are there already and that a report at hand may repeat
   * @param installs the nearest installs around those at hand, the current one excepted
   */
  constructor(
    readonly device: Device,
    kept: FirmwareEvent[],
    installs: Install[],
  ) {
    this.known = new Map(kept.map((event) => [sameness(event, event.timestamp), event]));
    const all = new Map(
      [...installs, ...(device.current ? [device.current] : [])].map((install) => [install.id, install]),
    );
    this.installs = [...all.values()].sort((one, other) => (isAfter(one, other) ? 1 : -1));
  }

  take(report: Report, now: string): Verdict {
    const repeated = this.firstOf(report);
    if (repeated) return { event: repeated, isRepeat: true };

    const { id, device_id, firmware, status } = report;
    const timestamp = report.timestamp ?? this.laterThanAll(now);
    const event: FirmwareEvent = { id, device_id, firmware, status, timestamp, created_at: now };
    this.added.push(event);
    this.known.set(sameness(event, timestamp), event);
    const { newest } = this.device;
    if (!newest || isAfter(event, newest)) this.device.newest = event;
    if (isInstall(status)) {
      this.changes.push(...addInstall(this.installs, { timestamp, id, firmware }));
      this.device.current = this.installs.at(-1)!;
    }
    return { event, isRepeat: false };
  }

  private firstOf(report: Report): FirmwareEvent | undefined {
    const { newest } = this.device;
    if (report.timestamp !== undefined) return this.known.get(sameness(report, report.timestamp));
    const isNewestAgain = newest?.firmware === report.firmware && newest.status === report.status;
    return isNewestAgain ? newest : undefined;
  }

  /** Whoever leaves the time to us means what it says last, whatever clock was ahead before. */
  private laterThanAll(now: string): string {
    const { newest } = this.device;
    if (!newest || newest.timestamp < now) return now;
    return new Date(Date.parse(newest.timestamp) + 1).toISOString();
  }
}

/** Of one device: equal for what is one event, however often it is told. */
function sameness({ firmware, status }: { firmware: string; status: string }, timestamp: string): string {
  return `${timestamp} ${status} ${firmware}`;
}
