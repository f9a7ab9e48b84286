import { ANYTHING, prepareSchema } from '#embedded';
import { type Bench } from './bench.js';

/** A gateway beside the product's own, with routes more that take a request as the gateway does and do nothing. */
export async function silentGateway(bench: Bench): Promise<{ url: string; stop(): Promise<void> }> {
  const { service } = await prepareSchema(bench.database_url, 'auth');
  const environment = {
    DATABASE_URL: service,
    NATS_URL: bench.nats.urlOf(ANYTHING.name),
    KEY_SECRET: await bench.secret('secret'),
    FLOTILLA_OPERATOR_KEY: await bench.secret('operator'),
    FLOTILLA_ADMIN_KEY: await bench.secret('admin'),
  };
  const script = 'bench/baselines/silent-gateway.main.js';
  return bench.child('silent-gateway', script, environment, 'apps/gateway/node.env');
}
