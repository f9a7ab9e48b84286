import { type NatsOptions, Transport } from '@nestjs/microservices';
import { type NewEvent } from '#contracts';

export const RECORD = 'stock.events.record';

export interface StockCall {
  project_id: string;
  event: NewEvent;
}

/** Nest's own NATS transport, as its documentation sets it up. */
export function stockTransport(url: string): NatsOptions {
  const { host, username, password } = new URL(url);
  return {
    transport: Transport.NATS,
    options: { servers: [`nats://${host}`], user: username, pass: password, queue: 'stock' },
  };
}
