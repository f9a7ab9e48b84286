import { finished, Readable } from 'node:stream';
import { Failure } from '#contracts';

/**
 * A bounded number of requests under way at once; more are refused at once, and nothing of them is done. A stream takes as
 * long as its reader likes: of streams, a project has as many as are left for others.
 */
export class InFlight {
  private readonly places = new Set<{ streams_to?: string }>();

  constructor(private readonly limit: number) {}

  /**
   * A stream is under way until it has ended.
   * @param streams_to the project that is answered, where the answer is a stream
   * @throws Failure `unavailable`
   */
  async run<Result>(work: () => Promise<Result>, streams_to?: string): Promise<Result> {
    const leave = this.enter(streams_to);
    let isStreaming = false;
    try {
      const result = await work();
      if (result instanceof Readable) {
        isStreaming = true;
        finished(result, leave);
      }
      return result;
    } finally {
      if (!isStreaming) leave();
    }
  }

  private enter(streams_to?: string): () => void {
    const own =
      streams_to === undefined ? [] : [...this.places].filter((one) => one.streams_to === streams_to);
    if (own.length >= this.limit - this.places.size)
      throw new Failure('unavailable', 'Too many requests are under way');
    const place = { streams_to };
    this.places.add(place);
    return () => void this.places.delete(place);
  }
}
