import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, prepareSchema } from '#embedded';
import { testDatabase } from '#testing';
import { SCHEMAS } from '../../start/app-schema.js';

const BUNDLES = join(process.cwd(), 'dist', 'bundles');
const PROJECT = '01900000-0000-7000-8000-000000000001';
const KEY = 'key of the bench';

interface Monolith {
  app: keyof typeof SCHEMAS;
  script: string;
  requests: [method: string, path: string, body?: object][];
}

const EVENT = {
  component: 'billing',
  environment: 'test',
  email: 'ada@example.com',
  message: 'paid',
  data: {},
};

const MONOLITHS: Monolith[] = [
  {
    app: 'activity-events',
    script: 'events/event-monolith.main.js',
    requests: [
      ['POST', '/v1/events', EVENT],
      ['GET', '/v1/events?limit=1'],
    ],
  },
  {
    app: 'device-state',
    script: 'states/state-monolith.main.js',
    requests: [['PATCH', '/v1/devices/pump-7/state', { data: { on: true } }]],
  },
  {
    app: 'firmware',
    script: 'firmware/firmware-monolith.main.js',
    requests: [['POST', '/v1/devices/pump-7/firmware', { firmware: '2.0.1', status: 'installed' }]],
  },
  {
    app: 'messages',
    script: 'messages/message-monolith.main.js',
    requests: [['POST', '/v1/messages', { recipient: 'pump-7', message: 'Close the valve' }]],
  },
  {
    app: 'pricing',
    script: 'prices/price-monolith.main.js',
    requests: [['POST', '/v1/prices', { product_id: 'valve', price: '12.50' }]],
  },
];

describe('what the bench compares with', () => {
  const children: ChildProcess[] = [];

  async function started({ app, script }: Monolith): Promise<string> {
    const { owner, service } = await prepareSchema(await testDatabase(), SCHEMAS[app]);
    await promisify(execFile)(process.execPath, [join(BUNDLES, 'apps', app, 'src', 'migrate.js')], {
      env: { PATH: process.env.PATH, DATABASE_URL: owner },
    });
    const port = await freePort();
    const child = fork(join(BUNDLES, 'bench', script), [], {
      env: {
        PATH: process.env.PATH,
        LOG_LEVEL: 'error',
        PORT: String(port),
        HEALTH_PORT: '0',
        DATABASE_URL: service,
        KEYS: JSON.stringify({ [KEY]: PROJECT }),
      },
    });
    children.push(child);
    await once(child, 'message');
    return `http://127.0.0.1:${port}`;
  }

  afterEach(() =>
    Promise.all(
      children.splice(0).map((child) => {
        const ended = once(child, 'exit');
        child.kill();
        return ended;
      }),
    ),
  );

  it.each(MONOLITHS)('does what the product does: $app', async (monolith) => {
    const url = await started(monolith);
    const statuses: number[] = [];
    // Each a second time: what stands already is another path.
    for (const [method, path, body] of [...monolith.requests, ...monolith.requests]) {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      });
      statuses.push(response.status);
    }
    expect(statuses.filter((status) => status < 200 || status > 202)).toEqual([]);
  });
});
