const NEWLINE = 0x0a;

/** A line without its newline; null for one that is longer than it may be, whose content nobody has kept. */
export type Line = Buffer | null;

/**
 * The lines of a stream, as many at a time as have arrived, at most `at_a_time`. What stands behind the last newline is
 * a line too, if there is anything. Reads on only when it is asked for more, and holds no more than one line
 * of `max_bytes` beyond what it was given.
 */
export async function* linesOf(
  source: AsyncIterable<Buffer>,
  max_bytes: number,
  at_a_time: number,
): AsyncGenerator<Line[]> {
  /** The beginning of the line that is open, in pieces; null once it is too long. */
  let open: Buffer[] | null = [];
  let openBytes = 0;
  for await (const chunk of source) {
    let lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const fits = open !== null && openBytes + end - start <= max_bytes;
      lines.push(fits ? joined(open!, chunk.subarray(start, end)) : null);
      [open, openBytes, start] = [[], 0, end + 1];
      if (lines.length < at_a_time) continue;
      yield lines;
      lines = [];
    }
    openBytes += chunk.length - start;
    if (openBytes > max_bytes) open = null;
    else if (start < chunk.length) open!.push(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (openBytes > 0) yield [open && Buffer.concat(open)];
}

function joined(pieces: Buffer[], last: Buffer): Buffer {
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
}
