/**
 * A frame carries many parts in one message, each a small JSON head and a body of bytes that whoever passes
 * the frame on need not read:
 *
 *     u32 length of heads | heads: JSON array of [size of body in bytes, head] | bodies, one after another
 *
 * A size of null stands for the body before it, once more: one answer to many is sent once.
 */
export interface Part<Head> {
  head: Head;
  body: string | Uint8Array;
}

const LENGTH_BYTES = 4;

/**
 * The parts as `Part` lays them out: heads of at most 4 GiB together, bodies of any size. Whether NATS takes so large a
 * message is for the sender to see.
 * @param once whether a body that several parts in a row have is written once: for those who read that
 */
export function encodeFrame<Head>(parts: Part<Head>[], once = false): Uint8Array {
  const sizes = parts.map(({ body }, index) =>
    once && body === parts[index - 1]?.body ? null : sizeOf(body),
  );
  const heads = JSON.stringify(parts.map(({ head }, index) => [sizes[index], head]));
  const headsSize = Buffer.byteLength(heads);
  const bodiesSize = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + headsSize + bodiesSize);
  frame.writeUInt32BE(headsSize, 0);
  frame.write(heads, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headsSize;
  parts.forEach(({ body }, index) => {
    const size = sizes[index];
    if (typeof size !== 'number') return;
    if (typeof body === 'string') frame.write(body, offset);
    else frame.set(body, offset);
    offset += size;
  });
  return frame;
}

function sizeOf(body: string | Uint8Array): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** Bodies are views into `bytes`. Throws a RangeError or SyntaxError for bytes that are no frame. */
export function decodeFrame<Head>(bytes: Uint8Array): Part<Head>[] {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headsEnd = LENGTH_BYTES + frame.readUInt32BE(0);
  const heads = JSON.parse(frame.toString('utf8', LENGTH_BYTES, headsEnd)) as [number | null, Head][];
  let offset = headsEnd;
  let body: Buffer | undefined;
  const parts = heads.map(([size, head]) => {
    if (size !== null) body = frame.subarray(offset, (offset += size));
    if (body === undefined) throw new RangeError('frame begins with a body once more');
    return { head, body };
  });
  if (offset !== frame.length) throw new RangeError(`frame of ${frame.length} bytes declares ${offset}`);
  return parts;
}
