import { type Sieve } from './link.js';

const LINE_END = '\r\n';
/** `PUB <subject> [reply] <bytes>` and `HPUB <subject> [reply] <bytes of headers> <bytes>` of the client protocol of NATS. */
const PUBLICATION = /^H?PUB\s+(\S+)\s(?:.*\s)?(\d+)$/i;

/**
 * What a client of NATS says, without the messages that are lost: neither side is told. Whole messages only are passed
 * on, as what is lost must be lost whole.
 */
export function natsSieve(isLost: (subject: string) => boolean): Sieve {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const passed: Buffer[] = [];
    for (;;) {
      const line_end = rest.indexOf(LINE_END);
      if (line_end < 0) break;
      const [, subject, bytes] = PUBLICATION.exec(rest.toString('latin1', 0, line_end)) ?? [];
      const payload = bytes === undefined ? 0 : Number(bytes) + LINE_END.length;
      const end = line_end + LINE_END.length + payload;
      if (rest.length < end) break;
      if (subject === undefined || !isLost(subject)) passed.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return Buffer.concat(passed);
  };
}
