import { Client } from 'pg';
import { BoundedClient } from '#database';

interface WithParameters {
  connectionParameters: { options?: string };
}

/** Broken on purpose: Postgres may acknowledge before its WAL is on disk, and nobody refuses such a server. */
const connect = Client.prototype.connect as (this: Client, ...more: unknown[]) => unknown;
Client.prototype.connect = function (this: Client & WithParameters, ...more: unknown[]) {
  const { connectionParameters } = this;
  connectionParameters.options = `${connectionParameters.options ?? ''} -c synchronous_commit=off`;
  return connect.apply(this, more);
} as typeof connect as Client['connect'];
BoundedClient.prototype.requireDurability = () => Promise.resolve();
