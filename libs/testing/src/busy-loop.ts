/** Work that leaves the event loop of this process no time but a turn every so often, until it ends. */
export class BusyLoop {
  private isOver = false;

  constructor(private readonly turn_ms: number) {
    this.turn();
  }

  end(): void {
    this.isOver = true;
  }

  private turn(): void {
    const until = performance.now() + this.turn_ms;
    while (performance.now() < until);
    if (!this.isOver) setImmediate(() => this.turn());
  }
}
