import { Logger } from '@nestjs/common';
import { eventually } from '#testing';
import { FeedFollower } from './feed-follower.js';
import { streamName } from './feed-stream.js';
import { feedWorld, type FeedWorld } from '../test/feed-world.js';

const STREAM = streamName('event');

describe('the follower of a feed', () => {
  let world: FeedWorld;
  let follower: FeedFollower;
  /** What it has said: that it began or lost the feed, and ids. */
  let said: string[];
  beforeEach(async () => {
    Logger.overrideLogger(false);
    world = await feedWorld();
    said = [];
  });
  afterEach(async () => {
    await follower.stop();
    await world.stop();
  });

  const follow = (): void => {
    follower = new FeedFollower(world.connection, 'event', {
      began: () => said.push('began'),
      took: ({ entries }) => said.push(...entries.map(({ head }) => head.id)),
      lost: () => said.push('lost'),
    });
    world.connection.onLost(() => follower.interrupt());
  };
  const consumers = async (): Promise<number> =>
    (await (await world.streams()).info(STREAM)).state.consumer_count;

  it('takes what is published after it began, in order, and nothing from before', async () => {
    await world.start();
    const before = await world.insert(5);
    await eventually(async () => expect(await world.publishedIds()).toEqual(before));
    follow();
    await eventually(() => expect(said).toEqual(['began']));
    const ids = await world.insert(700);
    await eventually(() => expect(said).toEqual(['began', ...ids]));
  });

  it('passes over a message that no relay has published', async () => {
    await world.start();
    follow();
    await eventually(() => expect(said).toEqual(['began']));
    await world.stray();
    const ids = await world.insert(3);
    await eventually(() => expect(said).toEqual(['began', ...ids]));
  });

  it('waits for a stream that is not there yet', async () => {
    follow();
    await world.start();
    await eventually(() => expect(said).toEqual(['began']));
  });

  it.each<[string, () => Promise<unknown>]>([
    ['its stream is wiped', async () => (await world.streams()).delete(STREAM)],
    ['NATS is killed', async () => (await world.nats.crash()).restart()],
  ])('says that it has lost the feed when %s, and begins anew', async (_, fault) => {
    await world.start();
    follow();
    await eventually(() => expect(said).toEqual(['began']));
    await fault();
    await world.insert(1);
    await eventually(() =>
      expect(said.filter((one) => /^[a-z]+$/.test(one))).toEqual(['began', 'lost', 'began']),
    );
    await eventually(async () => {
      const [id] = await world.insert(1);
      await eventually(() => expect(said).toContain(id), 1_000);
    });
  });

  it('leaves nothing behind when it stops', async () => {
    await world.start();
    follow();
    await eventually(() => expect(said.at(-1)).toBe('began'));
    // Two when the first was asked for twice, as on a machine with too much to do.
    await eventually(async () => expect(await consumers()).toBe(1));
    await follower.stop();
    await eventually(async () => expect(await consumers()).toBe(0));
    expect(said.at(-1)).toBe('lost');
  });
});
