import { Controller, Get, Inject, type HttpException } from '@nestjs/common';
import { HealthIndicatorService, HealthCheckService, type HealthIndicatorFunction } from '@nestjs/terminus';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiServiceUnavailableResponse,
  ApiTags,
  Failure,
} from '#contracts';
import { Lifecycle } from './lifecycle.js';
import { type Metrics } from './metrics.js';
import { Public } from './public.js';

/** A part that an app needs: `check` rejects when the part is missing. */
export interface Part {
  name: string;
  /** Whether the app can take no traffic without it. */
  essential: boolean;
  check: () => Promise<void>;
  /** Numbers worth watching, by the names of their metrics. */
  gauges?: Record<string, { help: string; read: () => number }>;
  /** Takes from the app's metrics what it counts as it happens. */
  measure?: (metrics: Metrics) => void;
  /** Takes where to say what it does, line by line; not called unless the log shows `debug`. */
  narrate?: (say: (line: Record<string, unknown>) => void) => void;
}

export const PARTS = Symbol('the parts whose health this app reports');

class PartState {
  @ApiProperty({ enum: ['up', 'down'] }) status!: string;
}

class Health {
  @ApiProperty({ enum: ['ok'] }) status!: string;
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/PartState' } })
  parts!: Record<string, PartState>;
}

class Liveness {
  @ApiProperty({ enum: ['ok'] }) status!: string;
}

/** The schema that every document of an app with problems holds. */
const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Health for orchestrators, by terminus; the same three routes on every app. */
@ApiTags('health')
@ApiExtraModels(PartState)
@Public()
@Controller('health')
export class HealthController {
  private readonly parts: Part[];

  constructor(
    private readonly terminus: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    @Inject(PARTS) parts: Part[],
  ) {
    this.parts = parts.map((part) => ({ ...part, check: shared(part.check) }));
  }

  @Get()
  @ApiOperation({ summary: 'Each part’s state' })
  @ApiOkResponse({ type: Health })
  @ApiServiceUnavailableResponse({ description: 'A part is missing.', content: PROBLEM })
  health(): Promise<Health> {
    return this.check(this.parts);
  }

  @Get('live')
  @ApiOperation({ summary: 'The process turns; nobody else is asked' })
  @ApiOkResponse({ type: Liveness })
  live(): Liveness {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'May take traffic' })
  @ApiOkResponse({ type: Health })
  @ApiServiceUnavailableResponse({ description: 'Starting, stopping or cut off.', content: PROBLEM })
  ready(): Promise<Health> {
    if (!this.lifecycle.isServing) throw new Failure('unavailable', 'Starting or stopping');
    return this.check(this.parts.filter(({ essential }) => essential));
  }

  private async check(parts: Part[]): Promise<Health> {
    const asked = parts.map(({ name, check }): HealthIndicatorFunction => async () => {
      const indicator = this.indicators.check(name);
      return check().then(
        () => indicator.up(),
        () => indicator.down(),
      );
    });
    const { details } = await this.terminus.check(asked).catch((error: unknown) => {
      const { details } = (error as HttpException).getResponse() as { details: Record<string, PartState> };
      const missing = Object.keys(details).filter((name) => details[name]!.status !== 'up');
      throw new Failure('unavailable', `Missing: ${missing.join(', ')}`, { members: { parts: details } });
    });
    return { status: 'ok', parts: details as Record<string, PartState> };
  }
}

/** Asks once for all who ask meanwhile: however many ask whether the app is well, its parts have little to answer. */
function shared(check: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  return () => (underWay ??= check().finally(() => (underWay = undefined)));
}
