import { Catch, Logger, type RpcExceptionFilter } from '@nestjs/common';
import { Failure } from '#contracts';
import { throwError, type Observable } from 'rxjs';

/** What a handler throws, on its way to the wire: a `Failure` as it is, anything else logged and `internal`. */
@Catch()
export class FailureFilter implements RpcExceptionFilter<unknown> {
  private readonly logger = new Logger(FailureFilter.name);

  catch(error: unknown): Observable<never> {
    if (!(error instanceof Failure) || error.cause) this.logger.error(error);
    return throwError(() => (error instanceof Failure ? error : new Failure('internal')));
  }
}
