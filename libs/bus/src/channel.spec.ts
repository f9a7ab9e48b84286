import { setImmediate as turn } from 'node:timers/promises';
import { Reply } from '#contracts';
import { context, eventually } from '#testing';
import { Channel, type ChannelLimits } from './channel.js';
import { type PendingCall } from './pending-call.js';

const LIMITS: ChannelLimits = {
  calls_waiting: 16,
  longest_wait_ms: 60_000,
  calls_a_frame: 3,
  bytes_a_frame: 300,
  frames_in_flight: 1,
  slot_patience_ms: 60_000,
};

const OF_ONE = context();

/** A channel whose frames are looked at instead of sent; `answer` gives calls their outcome. */
function channelWith(limits: Partial<ChannelLimits> = {}) {
  const frames: number[][] = [];
  const calls = new Map<number, PendingCall>();
  const idOf = (sent: PendingCall): number => [...calls].find(([, call]) => call === sent)![0];
  const channel = new Channel({ ...LIMITS, ...limits }, (_, sent) => frames.push(sent.map(idOf)));
  return {
    frames,
    channel,
    push(id: number, body = ''): void {
      const call: PendingCall = {
        body,
        context: OF_ONE,
        queued_at: 0,
        expires_at: Infinity,
        settle: () => channel.settled(call),
      };
      calls.set(id, call);
      channel.push(call);
    },
    answer(...ids: number[]): void {
      for (const id of ids) calls.get(id)!.settle(Reply.of(id));
    },
  };
}

describe('a channel', () => {
  it('sends a call that is alone in the same turn of the event loop', async () => {
    const { frames, push, answer } = channelWith();
    push(1);
    await turn();
    expect(frames).toEqual([[1]]);
    answer(1);
  });

  it('gathers calls while a frame is under way, and sends them together when it is answered', async () => {
    const { frames, push, answer } = channelWith();
    push(1);
    await turn();
    push(2);
    await turn();
    push(3);
    await turn();
    expect(frames).toEqual([[1]]);
    answer(1);
    await turn();
    expect(frames).toEqual([[1], [2, 3]]);
    answer(2, 3);
  });

  it('keeps the order of the calls, and each frame within its number of calls', async () => {
    const { frames, push, answer } = channelWith({ frames_in_flight: 3 });
    for (let id = 1; id <= 9; id += 1) push(id);
    await turn();
    expect(frames).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    answer(1, 2, 3, 4, 5, 6, 7, 8, 9);
  });

  it('sends a frame beside others once it is as large as what they have open', async () => {
    const { frames, push, answer } = channelWith({ frames_in_flight: 2, calls_a_frame: 8 });
    for (const id of [1, 2, 3]) push(id);
    await turn();
    push(4);
    await turn();
    push(5);
    await turn();
    expect(frames).toEqual([[1, 2, 3]]);
    answer(1);
    await turn();
    expect(frames).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    answer(2, 3, 4, 5);
  });

  it('frees a slot only with the last answer of its frame', async () => {
    const { frames, push, answer } = channelWith();
    push(1);
    push(2);
    await turn();
    push(3);
    answer(1);
    await turn();
    expect(frames).toEqual([[1, 2]]);
    answer(2);
    await turn();
    expect(frames).toEqual([[1, 2], [3]]);
    answer(3);
  });

  it('keeps a frame within its bytes, but lets one large call travel alone', async () => {
    const { frames, push, answer } = channelWith({ frames_in_flight: 4 });
    push(1, 'x'.repeat(60));
    push(2, 'x'.repeat(60));
    push(3, 'x'.repeat(5_000));
    push(4, 'x');
    await turn();
    for (const id of [1, 2, 3, 4]) {
      answer(id);
      await turn();
    }
    expect(frames).toEqual([[1], [2], [3], [4]]);
  });

  it('never sends a call that had its outcome while it waited', async () => {
    const { frames, push, answer } = channelWith();
    push(1);
    await turn();
    push(2);
    push(3);
    answer(2);
    answer(1);
    await turn();
    expect(frames).toEqual([[1], [3]]);
    answer(3);
  });

  it('is full when half of the calls that may wait are of one project, and no longer when they leave', async () => {
    const { channel, push, answer } = channelWith({ calls_waiting: 4 });
    const isFull = (): boolean => channel.waiting.isFullFor({ context: OF_ONE });
    push(1);
    await turn();
    push(2);
    expect(isFull()).toBe(false);
    push(3);
    expect(isFull()).toBe(true);
    answer(1);
    await turn();
    expect(isFull()).toBe(false);
    answer(2, 3);
  });

  it('lets others pass a frame that stays without an answer, and frees its slot only once', async () => {
    const { frames, push, answer } = channelWith({ slot_patience_ms: 1 });
    push(1);
    await turn();
    push(2);
    await eventually(() => frames.length === 2);
    push(3);
    push(4);
    answer(1);
    await eventually(() => frames.length === 3);
    expect(frames).toEqual([[1], [2], [3, 4]]);
    answer(2, 3, 4);
  });

  it('sends what waited for the end of a frame that others have passed', async () => {
    const { frames, push, answer } = channelWith({ frames_in_flight: 2, slot_patience_ms: 500 });
    push(1);
    await new Promise((resolve) => setTimeout(resolve, 600));
    push(2);
    await turn();
    push(3);
    await turn();
    expect(frames).toEqual([[1], [2]]);
    answer(1);
    await turn();
    expect(frames).toEqual([[1], [2], [3]]);
    answer(2, 3);
  });
});
