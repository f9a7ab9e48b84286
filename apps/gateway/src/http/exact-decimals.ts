import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyRequest } from 'fastify';

/** Members of the body whose numbers reach the handler as the text they were written as: see `parseIJson`. */
export function ExactDecimals(...decimals: string[]): MethodDecorator {
  return RouteConfig({ decimals });
}

export function exactDecimalsOf({ routeOptions }: FastifyRequest): readonly string[] | undefined {
  return (routeOptions.config as { decimals?: readonly string[] }).decimals;
}
