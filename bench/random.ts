/** Numbers that look random and are the same for the same seed (sfc32, of PractRand). */
export class Random {
  private readonly state: Uint32Array;

  constructor(seed: number) {
    this.state = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162 ^ seed, 1);
    for (let round = 0; round < 15; round += 1) this.next();
  }

  /** From 0 to 2^32 - 1. */
  next(): number {
    const [a, b, c, counter] = this.state as unknown as [number, number, number, number];
    const result = (a + b + counter) >>> 0;
    this.state[0] = b ^ (b >>> 9);
    this.state[1] = c + (c << 3);
    this.state[2] = ((c << 21) | (c >>> 11)) + result;
    this.state[3] = counter + 1;
    return result;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** A UUID of version 4 (RFC 9562). */
  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.next().toString(16).padStart(8, '0')).join('');
    const variant = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

/** Picks from a list as Zipf found words to be used: the first often, the n-th 1/n as often. */
export class Popularity<T> {
  private readonly reach: number[] = [];

  constructor(private readonly list: readonly T[]) {
    let sum = 0;
    for (let rank = 1; rank <= list.length; rank += 1) this.reach.push((sum += 1 / rank));
  }

  pick(random: Random): T {
    const target = random.fraction() * this.reach.at(-1)!;
    let low = 0;
    let high = this.reach.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.reach[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return this.list[low]!;
  }
}
