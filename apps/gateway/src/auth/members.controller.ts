import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { type Reply } from '#contracts';
import { list } from '../http/listing.js';
import { ADMINS, Allow } from './allow.js';
import { Context } from './call-context.js';
import { MembersService } from './members.service.js';
import { type RequestContext } from './request-context.js';
import {
  CreatedMember,
  IdPath,
  ListQuery,
  MemberChange,
  MemberPage,
  MemberView,
  NewMember,
} from './resources.js';

@ApiTags('members')
@Controller('v1/members')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  @Post()
  @Allow(ADMINS, 201, CreatedMember)
  @ApiOperation({ summary: 'Let somebody in, with a first key' })
  create(@Body() member: NewMember, @Context() context: RequestContext): Promise<Reply<CreatedMember>> {
    return this.members.create(member, context);
  }

  @Get()
  @Allow(ADMINS, 200, MemberPage)
  @ApiOperation({ summary: 'List members' })
  list(
    @Query() query: ListQuery,
    @Context() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<MemberPage> | Readable> {
    const page = (each: ListQuery): Promise<Reply<MemberPage>> => this.members.page(each, context);
    return list({ query, page, rows: ({ members }) => members, row: MemberView }, request, reply);
  }

  @Get(':id')
  @Allow(ADMINS, 200, MemberView)
  @ApiOperation({ summary: 'One member' })
  get(@Param() { id }: IdPath, @Context() context: RequestContext): Promise<Reply<MemberView>> {
    return this.members.get(id, context);
  }

  @Patch(':id')
  @Allow(ADMINS, 200, MemberView)
  @ApiOperation({ summary: 'Change a member; a new role counts from the next request on' })
  change(
    @Param() { id }: IdPath,
    @Body() change: MemberChange,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<Reply<MemberView>> {
    return this.members.change(id, change, context, if_match);
  }

  @Delete(':id')
  @Allow(ADMINS, 204)
  @ApiOperation({ summary: 'Remove a member and its keys' })
  delete(
    @Param() { id }: IdPath,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<void> {
    return this.members.delete(id, context, if_match);
  }
}
