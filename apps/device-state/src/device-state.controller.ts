import { Controller } from '@nestjs/common';
import { HandlesRead, HandlesTogether } from '#bus';
import {
  deleteState,
  desireState,
  getState,
  getStates,
  queryHistory,
  queryStateEntries,
  queryStates,
  readStateFeed,
  reportState,
  type Call,
  type DeviceDesire,
  type DeviceHistoryQuery,
  type DeviceReport,
  type DeviceStateView,
  type EntrySearch,
  type EntrySlice,
  type FeedPage,
  type FeedQuestion,
  type FleetQuery,
  type HistoryPage,
  type Nothing,
  type Outcome,
  type Reply,
  type ReportedState,
  type StateOf,
  type StatePage,
  type StateRemoval,
  type StatesOf,
} from '#contracts';
import { FeedReader } from '#feeds';
import { DeviceStateService } from './device-state.service.js';
import { RecordingService } from './recording.service.js';

@Controller()
export class DeviceStateController {
  constructor(
    private readonly recording: RecordingService,
    private readonly states: DeviceStateService,
    private readonly feed: FeedReader<object>,
  ) {}

  @HandlesTogether(reportState)
  report(calls: Call<DeviceReport>[]): Promise<Outcome<ReportedState>[]> {
    return this.recording.report(calls);
  }

  @HandlesTogether(desireState)
  desire(calls: Call<DeviceDesire>[]): Promise<Outcome<DeviceStateView>[]> {
    return this.recording.desire(calls);
  }

  @HandlesTogether(deleteState)
  delete(calls: Call<StateRemoval>[]): Promise<Outcome<Nothing>[]> {
    return this.recording.delete(calls);
  }

  @HandlesTogether(getState)
  get(calls: Call<StateOf>[]): Promise<Outcome<DeviceStateView>[]> {
    return this.states.get(calls);
  }

  @HandlesRead(queryHistory)
  history(call: Call<DeviceHistoryQuery>): Promise<Reply<HistoryPage>> {
    return this.states.history(call);
  }

  @HandlesRead(queryStateEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.states.entries(call);
  }

  @HandlesRead(queryStates)
  query(call: Call<FleetQuery>): Promise<Reply<StatePage>> {
    return this.states.query(call);
  }

  @HandlesRead(getStates)
  getMany({ caller, request }: Call<StatesOf>): Promise<Reply<StatePage>> {
    return this.states.getMany(caller, request);
  }

  @HandlesRead(readStateFeed)
  readFeed(call: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    return this.feed.read(call);
  }
}
