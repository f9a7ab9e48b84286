import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { type Reply } from '#contracts';
import { list } from '../http/listing.js';
import { ADMINS, Allow } from './allow.js';
import { Context } from './call-context.js';
import { KeysService } from './keys.service.js';
import { type RequestContext } from './request-context.js';
import { CreatedKey, IdPath, KeyPage, KeyView, ListQuery, NewKey, Rotation } from './resources.js';

@ApiTags('keys')
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Post()
  @Allow(ADMINS, 201, CreatedKey)
  @ApiOperation({ summary: 'Make a further key for a member or a device' })
  create(@Body() key: NewKey, @Context() context: RequestContext): Promise<Reply<CreatedKey>> {
    return this.keys.create(key, context);
  }

  @Get()
  @Allow(ADMINS, 200, KeyPage)
  @ApiOperation({ summary: 'List keys, never their secrets' })
  list(
    @Query() query: ListQuery,
    @Context() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<KeyPage> | Readable> {
    const page = (each: ListQuery): Promise<Reply<KeyPage>> => this.keys.page(each, context);
    return list({ query, page, rows: ({ keys }) => keys, row: KeyView }, request, reply);
  }

  @Delete(':id')
  @Allow(ADMINS, 204)
  @ApiOperation({ summary: 'Revoke a key: the very next request with it is refused' })
  revoke(@Param() { id }: IdPath, @Context() context: RequestContext): Promise<void> {
    return this.keys.revoke(id, context);
  }

  @Post(':id/rotate')
  @Allow(ADMINS, 201, CreatedKey)
  @ApiOperation({
    summary: 'Replace a key, at once or with an overlap; the new one expires when the old one would have',
    description: 'A key is rotated once: during the overlap, another rotation is a 409 `conflict`.',
  })
  rotate(
    @Param() { id }: IdPath,
    @Body() rotation: Rotation,
    @Context() context: RequestContext,
  ): Promise<Reply<CreatedKey>> {
    return this.keys.rotate(id, rotation, context);
  }
}
