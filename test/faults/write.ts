import { type AppName } from '../../start/app-schema.js';

export const KINDS = ['state', 'event', 'message', 'price', 'firmware'] as const;
export type Kind = (typeof KINDS)[number];

/** Which service writes each kind. */
export const WRITER: Record<Kind, AppName> = {
  state: 'device-state',
  event: 'activity-events',
  message: 'messages',
  price: 'pricing',
  firmware: 'firmware',
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
