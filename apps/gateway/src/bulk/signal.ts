/** For one who waits: `heard` resolves at the next `ring`, or at once when it has rung since it was heard last. */
export class Signal {
  private hasRung = false;
  private wake?: () => void;

  ring(): void {
    this.hasRung = true;
    this.wake?.();
  }

  async heard(): Promise<void> {
    if (!this.hasRung) await new Promise<void>((resolve) => (this.wake = resolve));
    this.hasRung = false;
  }
}
