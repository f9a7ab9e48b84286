import { Injectable } from '@nestjs/common';

/** Where this process stands: it takes traffic only between `serving` and `stopping`. */
@Injectable()
export class Lifecycle {
  private phase: 'starting' | 'serving' | 'stopping' = 'starting';

  get isServing(): boolean {
    return this.phase === 'serving';
  }

  serving(): void {
    this.phase = 'serving';
  }

  stopping(): void {
    this.phase = 'stopping';
  }
}
