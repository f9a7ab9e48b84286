import fc from 'fast-check';
import { type CallContext } from '#contracts';
import { context } from '#testing';
import { callHeads, contextsOf } from './wire.js';

describe('the heads of a frame', () => {
  const callers = [context().caller, context({ role: 'device' }).caller, context().caller];

  it('give each call its own context back, whoever shares a caller', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.uuid())), (calls) => {
        const contexts = calls.map(([who, request_id]): CallContext => ({
          caller: callers[who]!,
          request_id,
        }));
        const heads = callHeads(
          contexts.map((one, id) => ({ id, expires_at: 5_000, context: one })),
          0,
        );
        expect(contextsOf(JSON.parse(JSON.stringify(heads)) as typeof heads)).toEqual(contexts);
      }),
    );
  });

  it('write a caller once', () => {
    const shared = { caller: callers[0]!, request_id: 'one' };
    const heads = callHeads(
      [1, 2, 3].map((id) => ({ id, expires_at: 5_000, context: shared })),
      0,
    );
    expect(heads.map(([, , caller]) => caller)).toEqual([callers[0], 0, 0]);
  });
});
