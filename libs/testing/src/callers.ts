import { randomUUID } from 'node:crypto';
import type { CallContext, Caller } from '#contracts';

/** The context of a call by an editor of a project of its own, or as told. */
export function context(caller: Partial<Caller> = {}, rest: Partial<CallContext> = {}): CallContext {
  return {
    caller: {
      project_id: randomUUID(),
      role: 'editor',
      principal: randomUUID(),
      address: 'ada@example.com',
      key_id: randomUUID(),
      ...caller,
    },
    request_id: randomUUID(),
    ...rest,
  };
}
