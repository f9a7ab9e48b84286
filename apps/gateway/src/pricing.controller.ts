import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { Bus } from '#bus';
import {
  getPrice,
  PriceChange,
  PriceChangePage,
  PriceChangeQuery,
  PriceTime,
  Product,
  ProductPrice,
  queryPriceChanges,
  Reprice,
  reprice,
  RepriceReceipt,
  type CallContext,
  type Reply,
} from '#contracts';
import { Allow, READERS, WRITERS } from './auth/allow.js';
import { Context } from './auth/call-context.js';
import { GatewayConfig } from './gateway.config.js';
import { ExactDecimals } from './http/exact-decimals.js';
import { InFlight } from './http/in-flight.js';
import { isExport, list } from './http/listing.js';
import { EXACT_PRICES } from './writes/price-write.js';

@ApiTags('pricing')
@Controller('v1/prices')
export class PricingController {
  private readonly reprices: InFlight;
  private readonly questions: InFlight;
  private readonly queries: InFlight;

  constructor(
    private readonly bus: Bus,
    { PRICING_IN_FLIGHT }: GatewayConfig,
  ) {
    this.reprices = new InFlight(PRICING_IN_FLIGHT);
    this.questions = new InFlight(PRICING_IN_FLIGHT);
    this.queries = new InFlight(PRICING_IN_FLIGHT);
  }

  @Post()
  @Allow(WRITERS, 202, RepriceReceipt)
  @ExactDecimals(...EXACT_PRICES)
  @ApiOperation({ summary: 'Set the price of a product; 202 means that it is on disk' })
  reprice(@Body() body: Reprice, @Context() context: CallContext): Promise<Reply<RepriceReceipt>> {
    return this.reprices.run(() => this.bus.call(reprice, body, context));
  }

  @Get('changes')
  @Allow(READERS, 200, PriceChangePage)
  @ApiOperation({ summary: 'Find price changes, oldest first; as NDJSON or CSV all of them' })
  changes(
    @Query() query: PriceChangeQuery,
    @Context() context: CallContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<PriceChangePage> | Readable> {
    const page = (each: PriceChangeQuery): Promise<Reply<PriceChangePage>> =>
      this.bus.call(queryPriceChanges, each, context);
    const rows = ({ changes }: PriceChangePage): PriceChange[] => changes;
    const streams_to = isExport(request) ? context.caller.project_id : undefined;
    return this.queries.run(() => list({ query, page, rows, row: PriceChange }, request, reply), streams_to);
  }

  @Get(':product_id')
  @Allow(READERS, 200, ProductPrice)
  @ApiOperation({ summary: 'The price of a product, now or at a time' })
  get(
    @Param() path: Product,
    @Query() query: PriceTime,
    @Context() context: CallContext,
  ): Promise<Reply<ProductPrice>> {
    return this.questions.run(() => this.bus.call(getPrice, { ...path, ...query }, context));
  }
}
