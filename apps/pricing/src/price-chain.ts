import { isSameDecimal } from '#contracts';

/** A price of a product: one link of its chain. */
export interface Link {
  price: string;
  previous_price: string | null;
  sequence: number;
  timestamp: string;
}

export interface Wish {
  price: string;
  expected_previous_price?: string | null;
}

/** `link` is what holds afterwards; undefined when the product has no price. */
export type Verdict =
  { result: 'applied' | 'duplicate'; link: Link } | { result: 'unexpected'; link: Link | undefined };

/**
 * What a wish makes of the last link of a chain. Times never go back along a chain, whatever the clock does, so
 * that the price at a time is the last link that is not after it.
 */
export function nextLink(last: Link | undefined, wish: Wish, now: string): Verdict {
  const { price, expected_previous_price: expected } = wish;
  if (expected !== undefined && !isSamePrice(expected, last?.price ?? null)) {
    return { result: 'unexpected', link: last };
  }
  if (last && isSameDecimal(last.price, price)) return { result: 'duplicate', link: last };
  const timestamp = last && last.timestamp > now ? last.timestamp : now;
  const sequence = (last?.sequence ?? 0) + 1;
  return { result: 'applied', link: { price, previous_price: last?.price ?? null, sequence, timestamp } };
}

function isSamePrice(one: string | null, other: string | null): boolean {
  return one === null || other === null ? one === other : isSameDecimal(one, other);
}
