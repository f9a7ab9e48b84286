import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { InFlight } from './in-flight.js';

describe('a bounded number of requests in flight', () => {
  const refusal = expect.objectContaining({ code: 'unavailable', retry_after_s: 1 }) as object;
  const done = (): Promise<string> => Promise.resolve('done');
  /** Requests that go on until they are told to end. */
  const underWay = (inFlight: InFlight, count: number) => {
    const ends = Array.from({ length: count }, () => Promise.withResolvers<string>());
    const runs = ends.map(({ promise }) => inFlight.run(() => promise));
    return { ends, runs };
  };

  it('refuses what is too much at once, without doing it', async () => {
    const inFlight = new InFlight(3);
    underWay(inFlight, 3);
    let isDone = false;
    const refused = inFlight.run(() => {
      isDone = true;
      return done();
    });
    await expect(refused).rejects.toEqual(refusal);
    expect(isDone).toBe(false);
  });

  it('takes the next as soon as one has ended, well or not', async () => {
    const inFlight = new InFlight(2);
    const { ends, runs } = underWay(inFlight, 2);
    ends[0]!.resolve('well');
    await expect(runs[0]).resolves.toBe('well');
    await expect(inFlight.run(done)).resolves.toBe('done');
    ends[1]!.reject(new Error('not well'));
    await expect(runs[1]).rejects.toThrow('not well');
    const next = underWay(inFlight, 2);
    await expect(inFlight.run(done)).rejects.toEqual(refusal);
    for (const { resolve } of next.ends) resolve('done');
  });

  it('counts a stream until it has ended or was broken off', async () => {
    const inFlight = new InFlight(2);
    const [whole, broken] = await Promise.all([
      inFlight.run(() => Promise.resolve(Readable.from(['a', 'b']))),
      inFlight.run(() => Promise.resolve(Readable.from(['a', 'b']))),
    ]);
    await expect(inFlight.run(done)).rejects.toEqual(refusal);
    await finished(whole.resume());
    await expect(inFlight.run(done)).resolves.toBe('done');
    broken.destroy();
    await finished(broken).catch(() => undefined);
    const { runs, ends } = underWay(inFlight, 2);
    for (const { resolve } of ends) resolve('done');
    await expect(Promise.all(runs)).resolves.toEqual(['done', 'done']);
  });

  it('lets a project have as many streams as are left for others, and all places for what is no stream', async () => {
    const inFlight = new InFlight(4);
    const asked: string[] = [];
    const stream = (project: string): Promise<Readable> =>
      inFlight.run(() => {
        asked.push(project);
        return Promise.resolve(Readable.from(['a', 'b']));
      }, project);
    const [first] = await Promise.all([stream('one'), stream('one')]);
    await expect(stream('one')).rejects.toEqual(refusal);
    expect(asked).toEqual(['one', 'one']);
    await stream('other');
    const { ends, runs } = underWay(inFlight, 1);
    await expect(inFlight.run(done)).rejects.toEqual(refusal);
    ends[0]!.resolve('done');
    await runs[0];
    await expect(stream('one')).rejects.toEqual(refusal);
    first.destroy();
    await finished(first).catch(() => undefined);
    await stream('one');
  });
});
