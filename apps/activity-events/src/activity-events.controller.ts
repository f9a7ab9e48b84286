import { Controller } from '@nestjs/common';
import { HandlesRead, HandlesTogether } from '#bus';
import {
  countEvents,
  getEvent,
  queryEvents,
  readEventFeed,
  recordEvent,
  type Call,
  type EntrySearch,
  type EntrySlice,
  type EventId,
  type EventPage,
  type EventQuery,
  type FeedPage,
  type FeedQuestion,
  type Histogram,
  type HistogramQuery,
  type NewEvent,
  queryEventEntries,
  type Outcome,
  type RecordedEvent,
  type Reply,
} from '#contracts';
import { FeedReader } from '#feeds';
import { ActivityEventsService } from './activity-events.service.js';

@Controller()
export class ActivityEventsController {
  constructor(
    private readonly events: ActivityEventsService,
    private readonly feed: FeedReader<object>,
  ) {}

  @HandlesTogether(recordEvent)
  record(calls: Call<NewEvent>[]): Promise<Outcome<RecordedEvent>[]> {
    return this.events.record(calls);
  }

  @HandlesRead(queryEvents)
  query(call: Call<EventQuery>): Promise<Reply<EventPage>> {
    return this.events.query(call);
  }

  @HandlesRead(getEvent)
  get(call: Call<EventId>): Promise<Reply<RecordedEvent>> {
    return this.events.get(call);
  }

  @HandlesRead(queryEventEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.events.entries(call);
  }

  @HandlesRead(countEvents)
  count(call: Call<HistogramQuery>): Promise<Reply<Histogram>> {
    return this.events.count(call);
  }

  @HandlesRead(readEventFeed)
  readFeed(call: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    return this.feed.read(call);
  }
}
