import { Injectable } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Failure } from '#contracts';
import { GatewayConfig } from '../gateway.config.js';

/** Requests per key in a fixed window, counted by each gateway for itself. */
@Injectable()
export class RateLimiter {
  private readonly limiter: RateLimiterMemory;
  private readonly policy: string;

  constructor({ RATE_LIMIT_REQUESTS, RATE_LIMIT_WINDOW_S }: GatewayConfig) {
    this.limiter = new RateLimiterMemory({ points: RATE_LIMIT_REQUESTS, duration: RATE_LIMIT_WINDOW_S });
    this.policy = `"key";q=${RATE_LIMIT_REQUESTS};w=${RATE_LIMIT_WINDOW_S}`;
  }

  /** Headers as in draft-ietf-httpapi-ratelimit-headers. @throws Failure `rate_limited` */
  async consume(key_id: string, reply: FastifyReply): Promise<void> {
    const result = await this.limiter.consume(key_id).catch((refused: unknown) => refused as RateLimiterRes);
    // Windows end by a clock that is never set; what is left of one is told by the wall clock, which may be.
    const left_s = Math.min(Math.ceil(result.msBeforeNext / 1000), this.limiter.duration);
    reply.header('ratelimit-policy', this.policy);
    reply.header('ratelimit', `"key";r=${result.remainingPoints};t=${left_s}`);
    if (result.consumedPoints > this.limiter.points) {
      throw new Failure('rate_limited', `Try again in ${left_s} s`, { retry_after_s: left_s });
    }
  }
}
