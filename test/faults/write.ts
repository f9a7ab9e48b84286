import { type AppName } from '../../start/app-schema.js';

export const KINDS = ['state', 'event', 'message', 'price', 'firmware', 'device'] as const;
export type Kind = (typeof KINDS)[number];

/** Which app writes each kind; a change of a device is the gateway's own. */
export const WRITER: Record<Kind, AppName> = {
  state: 'device-state',
  event: 'activity-events',
  message: 'messages',
  price: 'pricing',
  firmware: 'firmware',
  device: 'gateway',
};

/** A write as it is meant, however often it is sent. */
export interface Write {
  number: number;
  kind: Kind;
  project_id: string;
  /** What is found in its row and in no other of the project. */
  trace: string;
  /** The device or the product whose order it belongs to; empty for kinds without one. */
  subject: string;
  method: 'POST' | 'PATCH' | 'PUT';
  path: string;
  body: Record<string, unknown>;
  idempotency_key: string;
}

/** Whether nobody can acknowledge a write while NATS is away. */
export function needsNats({ kind }: Write): boolean {
  return WRITER[kind] !== 'gateway';
}
