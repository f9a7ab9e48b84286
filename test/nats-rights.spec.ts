import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, PermissionViolationError, type NatsConnection } from '@nats-io/transport-node';
import { NATS_USERS } from '#embedded';
import { eventually, testNats, type TestNats } from '#testing';
import { SCHEMAS } from '../start/app-schema.js';

const APPS = Object.keys(SCHEMAS);
const SERVICES = APPS.filter((app) => app !== 'gateway');
const FEED_OF: Record<string, string> = {
  gateway: 'audit',
  'activity-events': 'event',
  'device-state': 'state',
  firmware: 'firmware',
  messages: 'message',
  pricing: 'price',
};
const FEEDS = Object.values(FEED_OF);

/** An app's connection to NATS, and what NATS has refused it. */
interface Guest {
  nats: NatsConnection;
  /** Whether NATS lets it send there. */
  maySend(subject: string, reply?: string): Promise<boolean>;
  mayHear(subject: string, queue?: string): Promise<boolean>;
}

async function guest(url: string, app: string): Promise<Guest> {
  const { username, password, host } = new URL(url);
  const nats = await connect({
    servers: host,
    user: username,
    pass: password,
    inboxPrefix: `_INBOX_${app}`,
    timeout: 20_000,
    reconnect: false,
  });
  const refused: string[] = [];
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError)
        refused.push(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  // NATS answers in order: a refusal is here before the answer to the ping behind it.
  const isRefused = async (what: string): Promise<boolean> => {
    await nats.flush();
    await new Promise(setImmediate);
    return refused.includes(what);
  };
  return {
    nats,
    async maySend(subject, reply) {
      nats.publish(subject, '', { reply });
      return !(await isRefused(`publish ${subject}`));
    },
    async mayHear(subject, queue) {
      const subscription = nats.subscribe(subject, { queue, callback: () => undefined });
      const may = !(await isRefused(`subscription ${subject}`));
      subscription.unsubscribe();
      return may;
    },
  };
}

describe('on NATS', () => {
  let nats: TestNats;
  const guests: Record<string, Guest> = {};

  beforeAll(async () => {
    nats = await testNats();
    for (const app of APPS) guests[app] = await guest(nats.urlOf(app), app);
  });
  afterAll(async () => {
    await Promise.all(Object.values(guests).map((one) => one.nats.close()));
    await nats.stop();
  });

  /** Those of `all` that pass. */
  const passing = async (all: string[], may: (one: string) => Promise<boolean>): Promise<string[]> => {
    const passed: string[] = [];
    for (const one of all) if (await may(one)) passed.push(one);
    return passed;
  };

  it('each app is somebody, and nobody else is', () => {
    expect(NATS_USERS.map(({ name }) => name).sort()).toEqual([...APPS].sort());
  });

  it('nobody comes in without a name, with a wrong password, or with another’s', async () => {
    const { host, password } = new URL(nats.urlOf('pricing'));
    const attempt = (user?: string, pass?: string): Promise<unknown> =>
      connect({ servers: host, user, pass, reconnect: false, timeout: 20_000 });
    await expect(attempt()).rejects.toThrow(/Authorization/i);
    await expect(attempt('gateway', 'guess')).rejects.toThrow(/Authorization/i);
    await expect(attempt('gateway', password)).rejects.toThrow(/Authorization/i);
  });

  it('the gateway alone calls', async () => {
    const calls = SERVICES.flatMap((service) => [`${service}.ping`, `${service}.record`]);
    for (const app of APPS) {
      expect(await passing(calls, guests[app]!.maySend)).toEqual(app === 'gateway' ? calls : []);
    }
  });

  it('a service hears its own calls, shared with its replicas, and no other’s', async () => {
    for (const app of APPS) {
      const own = app === 'gateway' ? [] : [app];
      const { mayHear } = guests[app]!;
      expect(await passing(SERVICES, (service) => mayHear(`${service}.*`, service))).toEqual(own);
      // Beside the queue it would hear what replicas are asked.
      expect(await passing(SERVICES, (service) => mayHear(`${service}.record`))).toEqual([]);
      expect(await passing(SERVICES, (service) => mayHear(`${service}.find`, 'other'))).toEqual([]);
    }
  });

  it.each(['>', '*', 'feed.>', '$JS.>', '$SYS.>', '_INBOX.>', '_INBOX_*.>', '*.record'])(
    'nobody listens to %s',
    async (subject) => {
      expect(await passing(APPS, (app) => guests[app]!.mayHear(subject))).toEqual([]);
    },
  );

  it('each hears answers to its own questions only, and sends none unasked', async () => {
    const inboxes = APPS.map((app) => `_INBOX_${app}.N.1`);
    for (const app of APPS) {
      const { mayHear, maySend } = guests[app]!;
      expect(await passing(inboxes, mayHear)).toEqual([`_INBOX_${app}.N.1`]);
      expect(await passing(inboxes, maySend)).toEqual([]);
    }
  });

  it.each(SERVICES)(
    '%s answers whom it was asked by, in as many messages as calls were asked',
    async (app) => {
      const heard: string[] = [];
      const callback = (_: unknown, { data }: { data: Uint8Array }): void => void heard.push(data.toString());
      guests.gateway!.nats.subscribe(`_INBOX_gateway.${app}`, { callback });
      const subscription = guests[app]!.nats.subscribe(`${app}.ask`, {
        queue: app,
        callback: (_, message) => {
          for (let answer = 0; answer < 256; answer += 1) message.respond(String(answer));
        },
      });
      await guests[app]!.nats.flush();
      guests.gateway!.nats.publish(`${app}.ask`, '', { reply: `_INBOX_gateway.${app}` });
      await eventually(() => heard.length === 256);
      subscription.unsubscribe();
    },
  );

  it('each sends to its own feed', async () => {
    const subjects = FEEDS.map((feed) => `feed.${feed}`);
    for (const app of APPS) {
      expect(await passing(subjects, guests[app]!.maySend)).toEqual([`feed.${FEED_OF[app]!}`]);
    }
  });

  it('nobody else touches a stream, and nobody looks around', async () => {
    const own = ['CREATE', 'UPDATE', 'INFO', 'PURGE', 'MSG.GET', 'DELETE'];
    const verbs = [...own, 'MSG.DELETE', 'SNAPSHOT', 'RESTORE'];
    const around = [
      '$JS.API.STREAM.LIST',
      '$JS.API.STREAM.NAMES',
      '$JS.API.CONSUMER.LIST.feed_audit',
      '$JS.API.INFO',
    ];
    for (const app of APPS) {
      const { maySend } = guests[app]!;
      for (const feed of FEEDS) {
        const may = await passing(verbs, (verb) => maySend(`$JS.API.STREAM.${verb}.feed_${feed}`));
        // The gateway follows them all, and asks of each where it ends.
        expect(may).toEqual(FEED_OF[app] === feed ? own : app === 'gateway' ? ['INFO'] : []);
        expect(await maySend(`$JS.API.DIRECT.GET.feed_${feed}`)).toBe(false);
      }
      expect(await passing(around, maySend)).toEqual([]);
      expect(
        await passing(['other', 'feed_other', '>', '*'], (name) => maySend(`$JS.API.STREAM.CREATE.${name}`)),
      ).toEqual([]);
    }
  });

  it('the owner of a feed keeps its stream, and reads where it ends', async () => {
    for (const app of APPS) {
      const feed = FEED_OF[app]!;
      const { nats: connection } = guests[app]!;
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const config = { name: `feed_${feed}`, subjects: [`feed.${feed}`] };
      await manager.streams.add(config);
      await manager.streams.update(config.name, { max_age: 3_600e9 });
      await jetstream(connection).publish(`feed.${feed}`, app);
      const last = await manager.streams.getMessage(config.name, { last_by_subj: `feed.${feed}` });
      expect(last!.string()).toBe(app);
    }
  });

  it('the gateway follows every feed as it grows', async () => {
    const { nats: connection } = guests.gateway!;
    for (const app of APPS) {
      const feed = FEED_OF[app]!;
      const consumer = await jetstream(connection).consumers.get(`feed_${feed}`, {
        deliver_policy: 'last' as never,
      });
      const message = await consumer.next({ expires: 20_000 });
      expect(message!.string()).toBe(app);
    }
  });

  it('activity-events consumes the audit feed under its own name, and sets aside what it cannot digest', async () => {
    const { nats: connection } = guests['activity-events']!;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const durable_name = 'activity-events';
    await manager.consumers.add('feed_audit', { durable_name, ack_policy: 'explicit' });
    const consumer = await jetstream(connection).consumers.get('feed_audit', durable_name);
    const message = await consumer.next({ expires: 20_000 });
    expect(await message!.ackAck()).toBe(true);
    await manager.streams.add({ name: `dead_${durable_name}`, subjects: [`dead.${durable_name}`] });
    await jetstream(connection).publish(`dead.${durable_name}`, message!.data);
  });

  it('nobody uses another’s consumer, or reads a feed that is not for it', async () => {
    const name = 'activity-events';
    const own = [
      `$JS.API.CONSUMER.CREATE.feed_audit.${name}`,
      `$JS.API.CONSUMER.MSG.NEXT.feed_audit.${name}`,
      `$JS.API.CONSUMER.DELETE.feed_audit.${name}`,
      `$JS.ACK.feed_audit.${name}.1.1.1.1.1`,
      `dead.${name}`,
    ];
    const needless = [
      `$JS.API.CONSUMER.CREATE.feed_audit.${name}.feed.audit`,
      `$JS.API.CONSUMER.DURABLE.CREATE.feed_audit.${name}`,
    ];
    for (const app of APPS)
      expect(await passing([...own, ...needless], guests[app]!.maySend)).toEqual(app === name ? own : []);
    for (const app of SERVICES) {
      const { maySend } = guests[app]!;
      const read = (feed: string): Promise<boolean> =>
        maySend(`$JS.API.CONSUMER.CREATE.feed_${feed}.mine.feed.${feed}`);
      expect(await passing(FEEDS, read)).toEqual([]);
    }
  });
});
