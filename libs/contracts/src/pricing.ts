import { contract } from './call.js';
import { ApiProperty } from './documentation.js';
import {
  CursorField,
  Limit,
  Moment,
  MomentNotAfter,
  Order,
  Price,
  PricedProductId,
  ProductId,
} from './fields.js';

/** A new price of a product. */
export class Reprice {
  @PricedProductId() product_id!: string;

  @Price({ description: 'The new price. It answers with the digits that it came with.', example: '19.90' })
  price!: string;

  @Price({
    optional: true,
    nullable: true,
    description: 'Change the price only if it is this now; null: only if the product has none yet.',
    example: '24.90',
  })
  expected_previous_price?: string | null;
}

/** A price of a product, since when it holds, and the one before. */
export class ProductPrice {
  @ApiProperty() product_id!: string;
  @ApiProperty({ type: String, nullable: true, description: 'Null for the first price.' })
  previous_price!: string | null;
  @ApiProperty({ example: '19.90' }) price!: string;
  @ApiProperty({ format: 'date-time' }) timestamp!: string;
  @ApiProperty({ type: 'integer', description: 'Changes of this product so far: 1, 2, 3 …' })
  sequence!: number;
}

const RESULTS = ['applied', 'duplicate'] as const;

/** The price of a product after a change, or after one that changed nothing. */
export class RepriceReceipt extends ProductPrice {
  @ApiProperty({ enum: RESULTS, description: 'duplicate: this is the price already, nothing changed.' })
  result!: (typeof RESULTS)[number];
}

/** The product in a path. */
export class Product {
  @ProductId() product_id!: string;
}

/** The time of which a price is asked for. */
export class PriceTime {
  @Moment({ description: 'The price as it was then; now unless told.' }) at?: string;
}

/** The product whose price is asked for, and of when. */
export class PriceQuestion extends PriceTime {
  @ProductId() product_id!: string;
}

/** Which changes: all given conditions hold. */
export class PriceChangeQuery {
  @ProductId({ optional: true }) product_id?: string;
  @Moment({ description: 'From this time on.' }) @MomentNotAfter('to') from?: string;
  @Moment({ description: 'Before this time.' }) to?: string;
  @Order('asc') order?: 'asc' | 'desc';
  @Limit() limit?: number;
  @CursorField() cursor?: string;
}

/** A link of a product's chain: `previous_price` is `new_price` of the change before. */
export class PriceChange {
  @ApiProperty() product_id!: string;
  @ApiProperty({ type: String, nullable: true }) previous_price!: string | null;
  @ApiProperty() new_price!: string;
  @ApiProperty({ format: 'date-time' }) timestamp!: string;
  @ApiProperty({ type: 'integer' }) sequence!: number;
}

/** Changes in the order that was asked for; `next_cursor` is null on the last page. */
export class PriceChangePage {
  @ApiProperty({ type: [PriceChange] }) changes!: PriceChange[];
  @ApiProperty({ type: String, nullable: true }) next_cursor!: string | null;
}

/**
 * Sets the price of a product. `conflict`, with `current_price`, when `expected_previous_price` does not hold.
 * The price that it has already, compared as a number, is no change.
 */
export const reprice = contract('pricing.reprice', Reprice, RepriceReceipt);

/** The price of a product, now or at a time. `not_found` when it has, or had, none. */
export const getPrice = contract('pricing.get', PriceQuestion, ProductPrice);

/** A page of the project's changes, in the order of each chain. `invalid` when `cursor` is not one of ours. */
export const queryPriceChanges = contract('pricing.query-changes', PriceChangeQuery, PriceChangePage);
