import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** `up` is from the one who connected to the server, `down` is back. */
export type Direction = 'up' | 'down';
export const DIRECTIONS: readonly Direction[] = ['up', 'down'];

/** What becomes of the bytes that go up one connection. */
export type Sieve = (chunk: Buffer) => Buffer;

/** A cable between an app and a server: a TCP proxy that can be slow, cut, or silent in one direction or both. */
export class Link {
  private readonly wires = new Set<Wire>();
  private delay_ms = 0;
  private isCut = false;
  private silent: readonly Direction[] = [];

  private constructor(
    private readonly server: Server,
    private readonly sieve: () => Sieve,
  ) {}

  /** @param sieve for each new connection; all that goes up it arrives unless told */
  static async to(port: number, sieve: () => Sieve = () => (chunk) => chunk): Promise<Link> {
    const server = createServer();
    const link = new Link(server, sieve);
    server.on('connection', (near) => link.accept(near, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What goes in either direction arrives this much later. */
  delay(delay_ms: number): void {
    this.delay_ms = delay_ms;
  }

  /** Connections are reset, and new ones too. */
  cut(): void {
    this.isCut = true;
    for (const wire of this.wires) wire.reset();
  }

  /** Nothing arrives any more in these directions, and nobody is told. */
  silence(directions: readonly Direction[]): void {
    this.silent = directions;
    for (const wire of this.wires) wire.silence(directions);
  }

  /** As before. What was held back arrives late, as TCP repeats it. */
  heal(): void {
    this.delay_ms = 0;
    this.isCut = false;
    this.silent = [];
    for (const wire of this.wires) wire.silence([]);
  }

  /** As before for new connections; the old ones stay silent for ever, as when a firewall has lost its table. */
  forget(): void {
    this.wires.clear();
    this.heal();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private accept(near: Socket, port: number): void {
    if (this.isCut) {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const wire = new Wire(near, connect(port, '127.0.0.1'), () => this.delay_ms, this.sieve());
    wire.silence(this.silent);
    this.wires.add(wire);
    near.once('close', () => this.wires.delete(wire));
  }
}

/** One connection through the link. */
class Wire {
  private readonly ends: Record<Direction, Lane>;

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    delayOf: () => number,
    sieve: Sieve,
  ) {
    this.ends = { up: new Lane(near, far, delayOf, sieve), down: new Lane(far, near, delayOf) };
  }

  silence(directions: readonly Direction[]): void {
    for (const direction of DIRECTIONS) this.ends[direction].isSilent = directions.includes(direction);
  }

  reset(): void {
    this.near.resetAndDestroy();
    this.far.resetAndDestroy();
  }
}

interface Parcel {
  due: number;
  deliver: () => unknown;
}

/** One direction of a connection, its end included: a close that nobody hears is silent, too. */
class Lane {
  private readonly parcels: Parcel[] = [];
  private silent = false;
  private timer?: NodeJS.Timeout;

  constructor(
    from: Socket,
    to: Socket,
    private readonly delayOf: () => number,
    sieve: Sieve = (chunk) => chunk,
  ) {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      const left = sieve(chunk);
      if (left.length > 0) this.send(() => to.write(left));
    });
    from.on('error', () => undefined);
    from.once('close', () => this.send(() => to.destroySoon()));
  }

  set isSilent(silent: boolean) {
    this.silent = silent;
    this.flush();
  }

  private send(deliver: () => void): void {
    this.parcels.push({ due: performance.now() + this.delayOf(), deliver });
    this.flush();
  }

  private flush(): void {
    if (this.silent || this.timer) return;
    while (this.parcels.length > 0 && this.parcels[0]!.due <= performance.now())
      this.parcels.shift()!.deliver();
    if (this.parcels.length === 0) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.flush();
      },
      Math.ceil(this.parcels[0]!.due - performance.now()),
    );
  }
}
