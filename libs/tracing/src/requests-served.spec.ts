import { setImmediate as turn } from 'node:timers/promises';
import { idsOfServed, serving } from './requests-served.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the ids in the log', () => {
  it('are those of the request that is served, however deep, and of nobody else’s', async () => {
    const seen = (request_id: string) =>
      serving([{ request_id, traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }], async () => {
        await turn();
        return idsOfServed();
      });
    const [one, two] = await Promise.all([seen('one'), seen('two')]);
    expect(one).toEqual({ request_id: 'one', trace_id: TRACE });
    expect(two).toEqual({ request_id: 'two', trace_id: TRACE });
  });

  it('are all of them where several are served at once', () => {
    const requests = [{ request_id: 'one' }, { request_id: 'two' }];
    expect(serving(requests, idsOfServed)).toEqual({ request_ids: ['one', 'two'] });
  });

  it('are none where nobody is served', () => {
    expect(idsOfServed()).toEqual({});
  });
});
