import { Controller } from '@nestjs/common';
import { HandlesRead, HandlesTogether } from '#bus';
import {
  getPrice,
  queryPriceChanges,
  readPriceFeed,
  queryPriceEntries,
  type Outcome,
  type Reprice,
  reprice,
  type Call,
  type EntrySearch,
  type EntrySlice,
  type FeedPage,
  type FeedQuestion,
  type PriceChangePage,
  type PriceChangeQuery,
  type PriceQuestion,
  type ProductPrice,
  type Reply,
  type RepriceReceipt,
} from '#contracts';
import { FeedReader } from '#feeds';
import { PricingService } from './pricing.service.js';

@Controller()
export class PricingController {
  constructor(
    private readonly prices: PricingService,
    private readonly feed: FeedReader<object>,
  ) {}

  @HandlesTogether(reprice)
  reprice(calls: Call<Reprice>[]): Promise<Outcome<RepriceReceipt>[]> {
    return this.prices.reprice(calls);
  }

  @HandlesTogether(getPrice)
  get(calls: Call<PriceQuestion>[]): Promise<Outcome<ProductPrice>[]> {
    return this.prices.get(calls);
  }

  @HandlesRead(queryPriceChanges)
  changes(call: Call<PriceChangeQuery>): Promise<Reply<PriceChangePage>> {
    return this.prices.changes(call);
  }

  @HandlesRead(readPriceFeed)
  readFeed(call: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    return this.feed.read(call);
  }

  @HandlesRead(queryPriceEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.prices.entries(call);
  }
}
