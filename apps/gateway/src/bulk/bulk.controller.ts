import { Controller, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiOperation,
  ApiProduces,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { finished, Readable } from 'node:stream';
import { Bus } from '#bus';
import { Failure } from '#contracts';
import { Allow, DATA_WRITERS } from '../auth/allow.js';
import { type AuthenticatedRequest } from '../auth/authentication.js';
import { contextWithoutKey, idempotencyKeyOf } from '../auth/call-context.js';
import { KeyRing } from '../auth/key-ring.js';
import { HasOwnBound } from '../auth/turns.js';
import { GatewayConfig } from '../gateway.config.js';
import { NDJSON, StreamsNdjson } from '../http/ndjson-body.js';
import { Bulk } from './bulk.js';
import { BULK_LINES, LineVerdict } from './bulk-lines.js';
import { BulksUnderWay } from './bulks-under-way.js';
import { LineKinds } from './line-kinds.js';
import { LineReader, MAX_LINE_BYTES } from './line-reader.js';
import { linesOf } from './ndjson.js';

const LINES_AT_A_TIME = 512;

@ApiTags('bulk')
@Controller('v1/bulk')
export class BulkController {
  constructor(
    private readonly bus: Bus,
    private readonly kinds: LineKinds,
    private readonly keyRing: KeyRing,
    private readonly underWay: BulksUnderWay,
    private readonly config: GatewayConfig,
  ) {}

  @Post()
  @StreamsNdjson()
  @HasOwnBound()
  @Allow(DATA_WRITERS, 200, LineVerdict)
  @ApiConsumes(NDJSON)
  @ApiProduces(NDJSON)
  @ApiExtraModels(...BULK_LINES)
  @ApiBody({
    description: `A line each, of at most ${MAX_LINE_BYTES} bytes: what the single route of its kind takes.`,
    schema: { oneOf: BULK_LINES.map((line) => ({ $ref: getSchemaPath(line) })) },
  })
  @ApiOperation({ summary: 'Any number of writes of any kind, a verdict a line; a bad line fails alone' })
  async send(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const { body, principal, raw } = request;
    const context = contextWithoutKey(request);
    const reader = new LineReader(this.kinds, context, idempotencyKeyOf(request));
    const { BULK_IDLE_S, BULK_PATIENCE_S } = this.config;
    const bulk = new Bulk(this.bus, reader, () => this.keyRing.isHeld(principal), BULK_PATIENCE_S * 1000);
    const leave = this.underWay.enter(bulk, context.caller);
    raw.setTimeout(BULK_IDLE_S * 1000);
    try {
      const batches = linesOf(body as AsyncIterable<Buffer>, MAX_LINE_BYTES, LINES_AT_A_TIME);
      const coming = batches.next().catch(() => {
        throw Failure.invalid({ pointer: '', detail: 'was cut off' });
      });
      const first = await bulk.first(coming);
      if (first.done) throw Failure.invalid({ pointer: '', detail: 'must hold at least one line' });
      const verdicts = Readable.from(bulk.verdicts(withFirst(first.value, batches)), { objectMode: false });
      finished(verdicts, leave);
      reply.header('content-type', NDJSON);
      return verdicts;
    } catch (error) {
      leave();
      throw error;
    }
  }
}

async function* withFirst<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item> {
  yield first;
  yield* rest;
}
