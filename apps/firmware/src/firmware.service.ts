import { Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  parseMoment,
  Reply,
  sliceOf,
  type Adoption,
  type AdoptionQuery,
  type Call,
  type CurrentFirmware,
  type DeviceFirmwareQuery,
  type EntrySearch,
  type EntrySlice,
  type FirmwareOwner,
  type FirmwarePage,
} from '#contracts';
import { decodeCursor, listReply, pageOf } from '#database';
import { rangesUntil } from './adoption-spans.js';
import { firmwareEntryJson } from './firmware-entry.js';
import { FirmwareRepository } from './firmware.repository.js';

@Injectable()
export class FirmwareService {
  constructor(private readonly repository: FirmwareRepository) {}

  async query({ caller, request }: Call<DeviceFirmwareQuery>): Promise<Reply<FirmwarePage>> {
    const { device_id, status, from, to, order = 'desc', limit = DEFAULT_LIMIT, cursor } = request;
    const { project_id } = caller;
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const current_firmware = await this.repository.current(project_id, device_id);
    if (current_firmware === undefined) throw new Failure('not_found');
    const conditions = {
      project_id,
      device_id,
      status,
      from: parseMoment(from),
      to: parseMoment(to),
    };
    const found = await this.repository.page(conditions, order, limit + 1, after);
    const page = await pageOf([found], limit, JSON.stringify, ({ timestamp, id }) => [timestamp, id]);
    return listReply('firmware_events', page, { current_firmware });
  }

  async entries({ caller, request }: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    const { device_id, from, to, order, limit, cursor } = request;
    const conditions = {
      project_id: caller.project_id,
      device_id,
      from: parseMoment(from),
      to: parseMoment(to),
    };
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const events = await this.repository.page(conditions, order, limit + 1, after);
    return sliceOf([events], limit, firmwareEntryJson, ({ id }) => id);
  }

  async current({ caller, request }: Call<FirmwareOwner>): Promise<Reply<CurrentFirmware>> {
    const firmware = await this.repository.current(caller.project_id, request.device_id);
    return Reply.of({ firmware: firmware ?? null });
  }

  async adoption({ caller, request }: Call<AdoptionQuery>): Promise<Reply<Adoption>> {
    const at = parseMoment(request.at);
    const versions = await this.repository.adoption(caller.project_id, rangesUntil(at));
    return Reply.of({ total: versions.reduce((sum, { devices }) => sum + devices, 0), versions });
  }
}
