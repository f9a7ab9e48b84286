import { finished, Readable } from 'node:stream';
import { Failure } from '#contracts';

/** A bounded number of requests under way at once; more are refused at once, and nothing of them is done. */
export class InFlight {
  private underWay = 0;

  constructor(private readonly limit: number) {}

  /** A stream is under way until it has ended. @throws Failure `unavailable` */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.underWay >= this.limit) throw new Failure('unavailable', 'Too many requests are under way');
    this.underWay += 1;
    let isStreaming = false;
    try {
      const result = await work();
      if (result instanceof Readable) {
        isStreaming = true;
        finished(result, () => (this.underWay -= 1));
      }
      return result;
    } finally {
      if (!isStreaming) this.underWay -= 1;
    }
  }
}
