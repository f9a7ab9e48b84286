import { Injectable } from '@nestjs/common';
import { DEFAULT_LIMIT, Failure, Reply, type AuditAction, type CallContext, type Caller } from '#contracts';
import { Database, listReply, pageOf } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { changesOfFields, recordChangesOf, type Change, type ChangeSubject } from './audit-trail.js';
import { type Device } from './auth.entity.js';
import { AuthWrites, checkVersion } from './auth-writes.js';
import { DeviceFirmware } from './device-firmware.js';
import { DevicesRepository } from './devices.repository.js';
import { Gathering } from './gathering.js';
import { mintKey } from './key-format.js';
import { KeysRepository } from './keys.repository.js';
import { placeOf } from './list-walk.js';
import { ProjectsRepository } from './projects.repository.js';
import { type RequestContext } from './request-context.js';
import {
  type CreatedDevice,
  type DeviceChange,
  type DeviceDetails,
  type DevicePage,
  type DeviceQuery,
  type DeviceView,
  type NewDevice,
} from './resources.js';
import { Revisions } from './revisions.js';

const MAX_KNOWN = 1_000_000;

/** Follows the version in the tag of a device that was looked at: no change of the device touches it. */
const FIRMWARE_IN_TAG = /:[^"]*(?=")/g;

/** A device that a write names, and the request that names it. */
interface Registration {
  id: string;
  context: RequestContext;
}

@Injectable()
export class DevicesService {
  /** Devices that are known to be registered; forgotten whenever any right changes, deletions among them. */
  private readonly known = new Set<string>();
  private changes = 0;
  private readonly registrations = new Gathering<Registration, true>((project_id, asked) =>
    this.register(project_id, asked),
  );

  constructor(
    private readonly database: Database,
    private readonly writes: AuthWrites,
    private readonly devices: DevicesRepository,
    private readonly projects: ProjectsRepository,
    private readonly keys: KeysRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
    private readonly firmware: DeviceFirmware,
  ) {
    revisions.onChange(() => {
      this.changes += 1;
      this.known.clear();
    });
  }

  create(request: NewDevice, context: RequestContext): Promise<Reply<CreatedDevice>> {
    const { project_id } = context.caller;
    return this.writes.once<CreatedDevice>(context, async (manager) => {
      const [device] = await this.devices.insert(manager, project_id, [request]);
      if (!device) throw new Failure('conflict', 'The project has a device of this id already');
      const key = mintKey(this.config.KEY_SECRET, 'device');
      await this.keys.insert(manager, key, { project_id, device_id: device.id }, null);
      const changes = [changeOf('device.registered', device, { key_id: key.id })];
      return { body: { ...viewOf(device), key }, version: versionOf(device), changes };
    });
  }

  /** Registers a device that a member's write names, unless it is; what a device writes is its own. */
  async ensure(context: RequestContext, id: string): Promise<void> {
    const { project_id, role } = context.caller;
    const name = `${project_id} ${id}`;
    if (role === 'device' || (this.known.has(name) && this.revisions.isTrusted)) return;
    const changes = this.changes;
    await this.registrations.ask(project_id, { id, context });
    // It may have been deleted since: registered for this write, not to be remembered.
    if (changes !== this.changes) return;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.add(name);
  }

  async page({ label, ...query }: DeviceQuery, { caller }: CallContext): Promise<Reply<DevicePage>> {
    const { project_id, role, principal } = caller;
    const { limit = DEFAULT_LIMIT } = query;
    // To a device, others of its project are as if they were not there: not even a cursor names them.
    const id = role === 'device' ? principal : undefined;
    const labels = label === undefined ? undefined : labelsOf(label);
    const devices = this.devices.walk({ project_id, id, labels }, query);
    return listReply('devices', await pageOf(devices, limit, JSON.stringify, placeOf));
  }

  async get(id: string, context: CallContext): Promise<Reply<DeviceDetails>> {
    const device = await this.find(context.caller, id);
    const firmware = await this.firmware.of(id, context);
    return Reply.of({ ...viewOf(device), firmware }, { version: versionWith(firmware, device) });
  }

  /** @throws Failure `not_found` unless the caller's project has the device */
  find({ project_id }: Caller, id: string): Promise<Device> {
    return this.database.read((manager) => this.devices.find(manager, project_id, id));
  }

  change(
    id: string,
    change: DeviceChange,
    context: RequestContext,
    if_match?: string,
  ): Promise<Reply<DeviceView>> {
    return this.writes.once<DeviceView>(context, async (manager) => {
      const device = await this.devices.find(manager, context.caller.project_id, id, true);
      checkVersion(versionOf(device), if_match?.replace(FIRMWARE_IN_TAG, ''));
      const changes = changesOfFields(subjectOf('device.changed', device), device, change);
      Object.assign(device, change);
      await this.devices.save(manager, device);
      return { body: viewOf(device), version: versionOf(device), changes };
    });
  }

  async delete(id: string, context: RequestContext, if_match?: string): Promise<void> {
    const { project_id } = context.caller;
    await this.writes.once<never>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const device = await this.devices.find(manager, project_id, id, true);
      checkVersion(versionOf(device), if_match?.replace(FIRMWARE_IN_TAG, ''));
      await this.keys.revoke(manager, { project_id, device_id: id }, revision);
      await this.devices.delete(manager, device);
      return { body: null, revision, changes: [changeOf('device.deleted', device)] };
    });
  }

  /** The device and its keys change project; what it wrote stays where it was written. */
  move(
    id: string,
    from: string | undefined,
    to: string,
    context: RequestContext,
  ): Promise<Reply<DeviceView>> {
    return this.writes.once<DeviceView>(context, async (manager) => {
      const revision = await this.revisions.next(manager);
      const device = await this.devices.findOnly(manager, id, from);
      const { id: to_project_id } = await this.projects.find(manager, to);
      const changes: Change[] = [];
      if (device.project_id !== to_project_id) {
        await this.devices.move(manager, device, to_project_id);
        await this.keys.move(manager, device, to_project_id, revision);
        // Neither project learns which the other is.
        changes.push(changeOf('device.moved_away', device));
        changes.push(changeOf('device.moved_here', { ...device, project_id: to_project_id }));
      }
      return { body: viewOf(device), revision, changes };
    });
  }

  /** Those of the devices that are unknown, each in the name of whoever asked for it first. */
  private register(project_id: string, asked: Registration[]): Promise<true[]> {
    const askers = new Map(asked.toReversed().map(({ id, context }) => [id, context]));
    return this.database.transaction(async (manager) => {
      const devices = [...askers.keys()].map((id) => ({ id }));
      const added = await this.devices.insert(manager, project_id, devices);
      await recordChangesOf(
        manager,
        added.map((device) => ({
          author: askers.get(device.id)!,
          change: changeOf('device.registered', device),
        })),
      );
      return asked.map(() => true);
    });
  }
}

function subjectOf(action: AuditAction, { project_id, id }: Device): ChangeSubject {
  return { action, project_id, subject_id: id, subject: id, device_id: id };
}

function changeOf(action: AuditAction, device: Device, rest: Record<string, unknown> = {}): Change {
  const { name, labels } = device;
  return { ...subjectOf(action, device), details: { name, labels, ...rest } };
}

/** What `name:value` may mean: both may hold colons, the name may not be empty. */
function labelsOf(label: string): Record<string, string>[] {
  const labels = [...label.matchAll(/(?<!^):/g)].map(({ index }) => ({
    [label.slice(0, index)]: label.slice(index + 1),
  }));
  if (labels.length === 0) throw Failure.invalid({ pointer: '/label', detail: 'must be name:value' });
  return labels;
}

function viewOf({ id, name, labels, created_at }: Device): DeviceView {
  return { id, name, labels, created_at: created_at.toISOString() };
}

/** Not another's that had the id before. */
function versionOf({ created_at, version }: Device): string {
  return `${created_at.getTime().toString(36)}-${version}`;
}

/** Of what `get` answers: it changes with the firmware, too, and with whether anybody can tell it. */
function versionWith(firmware: string | null | undefined, device: Device): string {
  return firmware === null ? versionOf(device) : `${versionOf(device)}:${firmware ?? ''}`;
}
