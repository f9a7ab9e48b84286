/** What time it is. Tests put another in its place, to let a month pass. */
export class Clock {
  now(): Date {
    return new Date();
  }
}
