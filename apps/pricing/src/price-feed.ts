import { type FeedSource } from '#feeds';
import { priceEntryJson } from './price-entry.js';
import { type StoredChange } from './pricing.repository.js';

/** Changes of prices, in the order of each product's chain. */
export const PRICE_FEED: FeedSource<StoredChange> = {
  kind: 'price',
  table: 'pricing.changes',
  columns: ['product_id', 'previous_price', 'new_price', 'sequence::int', '"timestamp"'],
  recorded_at: 'timestamp',
  entryJson: priceEntryJson,
};
