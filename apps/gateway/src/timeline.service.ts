import { Injectable } from '@nestjs/common';
import { Bus } from '#bus';
import {
  DEFAULT_LIMIT,
  Failure,
  queryEventEntries,
  queryFirmwareEntries,
  queryMessageEntries,
  queryPriceEntries,
  queryStateEntries,
  Reply,
  type CallContext,
  type Contract,
  type EntryKind,
  type EntrySearch,
  type EntrySlice,
  type TimelinePage,
  type TimelineQuery,
} from '#contracts';
import { DevicesService } from './auth/devices.service.js';
import { scopeOf } from './timeline-scope.js';
import { merge, searchOf, timelineCursor, timelinePlace, type KindSlice } from './timeline-walk.js';

/** Which service has the entries of a kind. */
const SOURCES: Record<EntryKind, Contract<EntrySearch, EntrySlice>> = {
  event: queryEventEntries,
  firmware: queryFirmwareEntries,
  message: queryMessageEntries,
  price: queryPriceEntries,
  state: queryStateEntries,
};

/** One order of what the services have, each of its own: nothing is copied, so nothing is ever behind. */
@Injectable()
export class TimelineService {
  constructor(
    private readonly bus: Bus,
    private readonly devices: DevicesService,
  ) {}

  /** What the caller may see of its project; what is its own, for a device. */
  async ofProject(query: TimelineQuery, context: CallContext): Promise<Reply<TimelinePage>> {
    return replyOf(await this.page(query, context));
  }

  /** @throws Failure `not_found` for a device that is not there and has left nothing that the caller may see */
  async ofDevice(
    device_id: string,
    query: TimelineQuery,
    context: CallContext,
  ): Promise<Reply<TimelinePage>> {
    const page = await this.page(query, context, device_id);
    if (page.entries.length === 0) await this.checkDevice(device_id, context);
    return replyOf(page);
  }

  private async page(query: TimelineQuery, context: CallContext, asked?: string): Promise<TimelinePage> {
    const { order = 'desc', limit = DEFAULT_LIMIT, from, to, cursor } = query;
    const after = cursor === undefined ? undefined : timelinePlace(cursor);
    const scope = scopeOf(context.caller, query.kinds, asked);
    const slices = await Promise.all(
      scope.kinds.map(async (kind): Promise<KindSlice> => {
        const search = searchOf(kind, { from, to, order }, after);
        if (!search) return { kind, entries: [], places: [], has_more: false };
        const { device_id } = scope;
        const slice = await this.bus.call(SOURCES[kind], { device_id, order, limit, ...search }, context);
        return { kind, ...slice.body };
      }),
    );
    const { entries, last } = merge(slices, order, limit);
    return { entries, next_cursor: last ? timelineCursor(last) : null };
  }

  /**
   * What a device has left here stays when it moves or goes; one that has left nothing must be registered.
   * @throws Failure `not_found`
   */
  async checkDevice(device_id: string, context: CallContext): Promise<void> {
    try {
      await this.devices.find(context.caller, device_id);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'not_found') throw error;
      const anything = await this.page({ limit: 1 }, context, device_id);
      if (anything.entries.length === 0) throw error;
    }
  }
}

function replyOf(page: TimelinePage): Reply<TimelinePage> {
  return Reply.of(page, { next_cursor: page.next_cursor ?? undefined });
}
