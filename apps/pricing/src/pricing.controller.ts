import { Controller } from '@nestjs/common';
import { Handles, HandlesTogether } from '#bus';
import {
  getPrice,
  queryPriceChanges,
  queryPriceEntries,
  type Reprice,
  reprice,
  type RepriceReceipt,
  type Call,
  type EntrySearch,
  type EntrySlice,
  type Failure,
  type PriceChangePage,
  type PriceChangeQuery,
  type PriceQuestion,
  type ProductPrice,
  type Reply,
} from '#contracts';
import { PricingService } from './pricing.service.js';

@Controller()
export class PricingController {
  constructor(private readonly prices: PricingService) {}

  @HandlesTogether(reprice)
  reprice(calls: Call<Reprice>[]): Promise<(Reply<RepriceReceipt> | Failure)[]> {
    return this.prices.reprice(calls);
  }

  @Handles(getPrice)
  get(call: Call<PriceQuestion>): Promise<Reply<ProductPrice>> {
    return this.prices.get(call);
  }

  @Handles(queryPriceChanges)
  changes(call: Call<PriceChangeQuery>): Promise<Reply<PriceChangePage>> {
    return this.prices.changes(call);
  }

  @Handles(queryPriceEntries)
  entries(call: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    return this.prices.entries(call);
  }
}
