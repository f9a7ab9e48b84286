import { finished, Readable } from 'node:stream';
import { Failure } from '#contracts';

/**
 * A bounded number of requests under way at once; more are refused at once, and nothing of them is done. A stream takes as
 * long as its reader likes: of streams, a project has as many as are left for others.
 */
export class InFlight {
  private underWay = 0;
  /** Of each stream under way, the project that is answered. */
  private readonly streams: string[] = [];

  constructor(private readonly limit: number) {}

  /**
   * A stream is under way until it has ended.
   * @param streams_to the project that is answered, where the answer is a stream
   * @throws Failure `unavailable`
   */
  async run<Result>(work: () => Promise<Result>, streams_to?: string): Promise<Result> {
    this.enter(streams_to);
    let isStreaming = false;
    try {
      const result = await work();
      if (result instanceof Readable) {
        isStreaming = true;
        finished(result, () => this.leave(streams_to));
      }
      return result;
    } finally {
      if (!isStreaming) this.leave(streams_to);
    }
  }

  private enter(streams_to?: string): void {
    const own = streams_to === undefined ? 0 : this.streams.filter((one) => one === streams_to).length;
    if (own >= this.limit - this.underWay)
      throw new Failure('unavailable', 'Too many requests are under way');
    this.underWay += 1;
    if (streams_to !== undefined) this.streams.push(streams_to);
  }

  private leave(streams_to?: string): void {
    this.underWay -= 1;
    if (streams_to !== undefined) this.streams.splice(this.streams.indexOf(streams_to), 1);
  }
}
