import { Controller } from '@nestjs/common';
import { HandlesRead, HandlesTogether } from '#bus';
import {
  countAdoption,
  getCurrentFirmware,
  queryFirmware,
  readFirmwareFeed,
  queryFirmwareEntries,
  recordFirmware,
  type Adoption,
  type AdoptionQuery,
  type Call,
  type CurrentFirmware,
  type DeviceFirmwareQuery,
  type EntrySearch,
  type EntrySlice,
  type FeedPage,
  type FeedQuestion,
  type FirmwareOwner,
  type FirmwarePage,
  type FirmwareReceipt,
  type NewFirmwareEvent,
  type Outcome,
  type Reply,
} from '#contracts';
import { FeedReader } from '#feeds';
import { FirmwareService } from './firmware.service.js';
import { RecordingService } from './recording.service.js';

@Controller()
export class FirmwareController {
  constructor(
    private readonly recording: RecordingService,
    private readonly firmware: FirmwareService,
    private readonly feed: FeedReader<object>,
  ) {}

  @HandlesTogether(recordFirmware)
  record(calls: Call<NewFirmwareEvent>[]): Promise<Outcome<FirmwareReceipt>[]> {
    return this.recording.record(calls);
  }

  @HandlesRead(queryFirmware)
  query(call: Call<DeviceFirmwareQuery>): Promise<Reply<FirmwarePage>> {
    return this.firmware.query(call);
  }

  @HandlesRead(queryFirmwareEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.firmware.entries(call);
  }

  @HandlesRead(getCurrentFirmware)
  current(call: Call<FirmwareOwner>): Promise<Reply<CurrentFirmware>> {
    return this.firmware.current(call);
  }

  @HandlesRead(countAdoption)
  adoption(call: Call<AdoptionQuery>): Promise<Reply<Adoption>> {
    return this.firmware.adoption(call);
  }

  @HandlesRead(readFirmwareFeed)
  readFeed(call: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    return this.feed.read(call);
  }
}
