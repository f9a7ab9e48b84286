import { jetstreamManager } from '@nats-io/jetstream';
import { Logger } from '@nestjs/common';
import { eventually, Link, natsSieve } from '#testing';
import { deadLetterStream, deadLetterSubject, FeedConsumer } from './feed-consumer.js';
import { streamName } from './feed-stream.js';
import { Failure } from '#contracts';
import { feedWorld, type FeedWorld } from '../test/feed-world.js';
import { CONSUMER, POISON, SCHEMA } from '../test/things.js';

describe('a consumer of a feed', () => {
  let world: FeedWorld;
  beforeEach(async () => {
    Logger.overrideLogger(false);
    world = await feedWorld();
  });
  afterEach(() => world.stop());

  const effects = async (): Promise<string[]> => {
    const rows = await world.query<{ entry_id: string }>(
      `SELECT entry_id FROM ${SCHEMA}.effects ORDER BY place`,
    );
    return rows.map(({ entry_id }) => entry_id);
  };
  const expectEffects = async (ids: string[]): Promise<void> => {
    // To say in what thousands of ids differ takes seconds: not while the consumer works, in this process.
    await eventually(async () => (await effects()).length >= ids.length, 40_000);
    expect(await effects()).toEqual(ids);
  };

  it('has the effect of each entry once, in the order of the feed', async () => {
    const ids = await world.insert(1_000);
    await world.start();
    await world.start();
    ids.push(...(await world.insert(1_000)));
    await expectEffects(ids);
  });

  it('puts what it cannot digest among the dead letters, and everything else goes on', async () => {
    const replica = await world.start();
    const good: string[] = [];
    const bad: string[] = [];
    for (let tenth = 0; tenth < 10; tenth += 1) {
      good.push(...(await world.insert(499)));
      bad.push(...(await world.insert(1, { note: POISON })));
      good.push(...(await world.insert(500)));
    }
    await expectEffects(good);
    await eventually(async () => expect(await world.deadIds()).toEqual(bad));
    expect(replica.consumer.part.gauges.feed_dead_letters.read()).toBe(10);
  });

  it('puts its dead letters into a new stream when theirs stores nothing any more', async () => {
    const url = new URL(world.nats.url);
    // As with a nats-server whose disk was full: what is sent there has no answer, until the stream is another.
    let isStuck = false;
    const link = await Link.to(Number(url.port), () =>
      natsSieve((subject) => isStuck && subject === deadLetterSubject(CONSUMER)),
    );
    world.connection.nats.subscribe(`$JS.API.STREAM.DELETE.${deadLetterStream(CONSUMER)}`, {
      callback: () => void (isStuck = false),
    });
    url.port = String(link.port);
    const { consumer, stop } = await world.start(url.href);
    const bad = await world.insert(1, { note: POISON });
    await eventually(async () => expect(await world.deadIds()).toEqual(bad));
    isStuck = true;
    bad.push(...(await world.insert(1, { note: POISON })));
    const good = await world.insert(5);
    await expectEffects(good);
    await eventually(async () => expect(await world.deadIds()).toEqual(bad));
    expect(isStuck).toBe(false);
    // It has gone on where it stood.
    expect(consumer.part.gauges.feed_consumed.read()).toBe(bad.length + good.length);
    await stop();
    const successor = await world.start();
    good.push(...(await world.insert(5)));
    await expectEffects(good);
    await eventually(() => successor.consumer.part.gauges.feed_consumed.read() === 5);
    link.close();
  });

  it('passes over a message that no relay has published', async () => {
    await world.start();
    const ids = await world.insert(10);
    await expectEffects(ids);
    await world.stray();
    ids.push(...(await world.insert(10)));
    await expectEffects(ids);
    expect(await world.deadIds()).toEqual([]);
  });

  it('goes on where it stopped', async () => {
    const first = await world.start();
    const ids = await world.insert(300);
    await expectEffects(ids);
    await first.stop();
    ids.push(...(await world.insert(300)));
    await world.start();
    await expectEffects(ids);
  });

  it('repeats no effect when the stream was wiped and comes again', async () => {
    await world.start();
    const ids = await world.insert(300);
    await expectEffects(ids);
    await (await world.streams()).delete(streamName('event'));
    ids.push(...(await world.insert(300)));
    await expectEffects(ids);
    await eventually(async () => (await world.publishedIds()).length === ids.length);
    expect(await effects()).toEqual(ids);
  });

  it('gets what was wiped before it came, though nobody writes any more', async () => {
    await world.start();
    const ids = await world.insert(20);
    await expectEffects(ids);
    await (await world.streams()).delete(streamName('event'));
    const seen: string[] = [];
    const consumer = new FeedConsumer(world.connection, {
      name: 'late',
      kind: 'event',
      replicas: 1,
      handle: (entries) => Promise.resolve(void seen.push(...entries.map(({ head }) => head.id))),
    });
    consumer.onApplicationBootstrap();
    await eventually(() => expect(seen).toEqual(ids));
    await consumer.onModuleDestroy();
  });

  it('has a problem when its feed is gone', async () => {
    const { relay, consumer } = await world.start();
    await expectEffects(await world.insert(20));
    await consumer.part.check();
    await relay.onModuleDestroy();
    await (await world.streams()).delete(streamName('event'));
    const problem = (): Promise<string> => consumer.part.check().then(() => 'none', String);
    await eventually(async () => expect(await problem()).toContain('stream not found'));
  });

  it('goes on after a NATS that was away', async () => {
    await world.start();
    const ids = await world.insert(100);
    await expectEffects(ids);
    const nats = await world.nats.crash();
    ids.push(...(await world.insert(100)));
    await nats.restart();
    await expectEffects(ids);
  });

  it('waits for what is away for as long as it takes, and loses no entry over it', async () => {
    await world.start();
    const ids = await world.insert(20);
    const seen: string[] = [];
    let refusals = 10;
    const consumer = new FeedConsumer(world.connection, {
      name: 'patient',
      kind: 'event',
      replicas: 1,
      async handle(entries) {
        if ((refusals -= 1) > 0) throw new Failure('unavailable');
        seen.push(...entries.map(({ head }) => head.id));
      },
    });
    consumer.onApplicationBootstrap();
    await eventually(() => expect(seen).toEqual(ids), 60_000);
    expect(consumer.part.gauges.feed_dead_letters.read()).toBe(0);
    await consumer.onModuleDestroy();
  });

  it('waits for a feed that nobody has begun yet, and has no problem with it', async () => {
    const seen: string[] = [];
    const consumer = new FeedConsumer(world.connection, {
      name: 'early',
      kind: 'event',
      replicas: 1,
      handle: (entries) => Promise.resolve(void seen.push(...entries.map(({ head }) => head.id))),
    });
    let attempts = 0;
    world.connection.nats.subscribe(`$JS.API.CONSUMER.*.${streamName('event')}.>`, {
      callback: () => void (attempts += 1),
    });
    consumer.onApplicationBootstrap();
    // It has been told once at least that there is no such stream.
    await eventually(() => attempts > 1);
    await consumer.part.check();
    await world.start();
    const ids = await world.insert(20);
    await eventually(() => expect(seen).toEqual(ids));
    await consumer.part.check();
    await consumer.onModuleDestroy();
  });

  it('hands back what it waits for when it is told to stop', async () => {
    await world.start();
    const ids = await world.insert(20);
    let isAway = true;
    const consumed: string[] = [];
    const consumer = (): FeedConsumer =>
      new FeedConsumer(world.connection, {
        name: 'handed-back',
        kind: 'event',
        replicas: 1,
        async handle(entries) {
          if (isAway) throw new Failure('unavailable');
          consumed.push(...entries.map(({ head }) => head.id));
        },
      });
    const first = consumer();
    first.onApplicationBootstrap();
    await eventually(async () => (await world.publishedIds()).length === ids.length);
    await first.onModuleDestroy();
    isAway = false;
    const second = consumer();
    second.onApplicationBootstrap();
    await eventually(() => expect(consumed).toEqual(ids));
    await second.onModuleDestroy();
  });

  it('and its relay ask NATS for what the table of subjects says, and for nothing else', async () => {
    const asked = new Set<string>();
    for (const subject of ['$JS.>', 'feed.>', 'dead.>']) {
      world.connection.nats.subscribe(subject, {
        callback: (_, message) =>
          void asked.add(message.subject.replace(/^(\$JS\.ACK(\.[\w-]+){2}).*/, '$1.>')),
      });
    }
    await world.connection.nats.flush();
    await world.insert(1, { note: POISON });
    const ids = await world.insert(1);
    const first = await world.start();
    await expectEffects(ids);
    await first.stop();
    await world.start();
    ids.push(...(await world.insert(1)));
    await expectEffects(ids);
    expect([...asked].filter((subject) => !subject.startsWith('$JS.EVENT.')).sort()).toEqual([
      '$JS.ACK.feed_event.things-test.>',
      ...['CONSUMER.CREATE', 'CONSUMER.INFO', 'CONSUMER.MSG.NEXT'].map(
        (verb) => `$JS.API.${verb}.feed_event.things-test`,
      ),
      '$JS.API.STREAM.CREATE.dead_things-test',
      '$JS.API.STREAM.CREATE.feed_event',
      '$JS.API.STREAM.MSG.GET.feed_event',
      'dead.things-test',
      'feed.event',
    ]);
  });

  it('becomes what it is to be when it was made otherwise', async () => {
    const replica = await world.start();
    const ids = await world.insert(10);
    await expectEffects(ids);
    await replica.stop();
    const { consumers } = await jetstreamManager(world.connection.nats, { checkAPI: false });
    await consumers.update(streamName('event'), CONSUMER, { max_ack_pending: 7 });
    await world.start();
    ids.push(...(await world.insert(10)));
    await expectEffects(ids);
    expect((await consumers.info(streamName('event'), CONSUMER)).config.max_ack_pending).toBe(1);
  });
});
