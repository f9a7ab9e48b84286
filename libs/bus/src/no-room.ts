import { Failure } from '#contracts';

/** So many calls of the project wait that a further one would not be answered soon. Nothing of it was done. */
export class NoRoom extends Failure {
  constructor() {
    super('unavailable', 'Too many requests are waiting already', { nothing_done: true });
  }
}
