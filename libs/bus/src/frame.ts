/**
 * A frame carries many parts in one message, each a small JSON head and a body of bytes that whoever passes
 * the frame on need not read:
 *
 *     u32 length of heads | heads: JSON array of [size of body in bytes, head] | bodies, one after another
 */
export interface Part<Head> {
  head: Head;
  body: string | Uint8Array;
}

const LENGTH_BYTES = 4;

/**
 * The parts as `Part` lays them out: heads of at most 4 GiB together, bodies of any size. Whether NATS takes so large a
 * message is for the sender to see.
 */
export function encodeFrame<Head>(parts: Part<Head>[]): Uint8Array {
  const sizes = parts.map(({ body }) => (typeof body === 'string' ? Buffer.byteLength(body) : body.length));
  const heads = JSON.stringify(parts.map(({ head }, index) => [sizes[index], head]));
  const headsSize = Buffer.byteLength(heads);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + headsSize + sizes.reduce((sum, size) => sum + size, 0));
  frame.writeUInt32BE(headsSize, 0);
  frame.write(heads, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headsSize;
  parts.forEach(({ body }, index) => {
    if (typeof body === 'string') frame.write(body, offset);
    else frame.set(body, offset);
    offset += sizes[index]!;
  });
  return frame;
}

/** Bodies are views into `bytes`. Throws a RangeError or SyntaxError for bytes that are no frame. */
export function decodeFrame<Head>(bytes: Uint8Array): Part<Head>[] {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headsEnd = LENGTH_BYTES + frame.readUInt32BE(0);
  const heads = JSON.parse(frame.toString('utf8', LENGTH_BYTES, headsEnd)) as [number, Head][];
  let offset = headsEnd;
  const parts = heads.map(([size, head]) => ({ head, body: frame.subarray(offset, (offset += size)) }));
  if (offset !== frame.length) throw new RangeError(`frame of ${frame.length} bytes declares ${offset}`);
  return parts;
}
