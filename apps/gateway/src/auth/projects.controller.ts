import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Readable } from 'node:stream';
import { type Reply } from '#contracts';
import { list } from '../http/listing.js';
import { Allow, OPERATOR } from './allow.js';
import { Context } from './call-context.js';
import { ProjectsService } from './projects.service.js';
import { type RequestContext } from './request-context.js';
import { CreatedProject, IdPath, ListQuery, NewProject, ProjectPage, ProjectView } from './resources.js';

@ApiTags('projects')
@Controller('v1/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Post()
  @Allow(OPERATOR, 201, CreatedProject)
  @ApiOperation({ summary: 'Make a project and its first admin key' })
  create(@Body() project: NewProject, @Context() context: RequestContext): Promise<Reply<CreatedProject>> {
    return this.projects.create(project, context);
  }

  @Get()
  @Allow(OPERATOR, 200, ProjectPage)
  @ApiOperation({ summary: 'List projects' })
  list(
    @Query() query: ListQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reply<ProjectPage> | Readable> {
    const page = (each: ListQuery): Promise<Reply<ProjectPage>> => this.projects.page(each);
    return list({ query, page, rows: ({ projects }) => projects, row: ProjectView }, request, reply);
  }

  @Get(':id')
  @Allow(OPERATOR, 200, ProjectView)
  @ApiOperation({ summary: 'One project' })
  get(@Param() { id }: IdPath): Promise<Reply<ProjectView>> {
    return this.projects.get(id);
  }

  @Patch(':id')
  @Allow(OPERATOR, 200, ProjectView)
  @ApiOperation({ summary: 'Rename a project' })
  rename(
    @Param() { id }: IdPath,
    @Body() change: NewProject,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<Reply<ProjectView>> {
    return this.projects.rename(id, change, context, if_match);
  }

  @Delete(':id')
  @Allow(OPERATOR, 204)
  @ApiOperation({ summary: 'Delete a project: its keys end, its data can no longer be reached' })
  delete(
    @Param() { id }: IdPath,
    @Context() context: RequestContext,
    @Headers('if-match') if_match?: string,
  ): Promise<void> {
    return this.projects.delete(id, context, if_match);
  }
}
