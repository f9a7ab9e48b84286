import { type PriceEntry } from '#contracts';
import { type StoredChange } from './pricing.repository.js';

/** A `PriceEntry`. */
export function priceEntryJson(change: StoredChange): string {
  const { id, timestamp, product_id, previous_price, new_price, sequence } = change;
  const entry: PriceEntry = {
    ...{ kind: 'price', id, at: timestamp, device_id: null },
    ...{ product_id, previous_price, new_price, sequence },
  };
  return JSON.stringify(entry);
}
