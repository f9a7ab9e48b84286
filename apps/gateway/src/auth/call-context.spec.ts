import { contentHash } from '#database';
import { idempotencyOf } from './call-context.js';

describe('the content of an idempotency key', () => {
  const ADMIN = {
    project_id: 'north',
    role: 'admin',
    principal: 'ada',
    address: 'ada',
    key_id: 'key',
  } as const;
  const hashOf = (query?: object): string =>
    idempotencyOf('POST /v1/things', 'key', { id: '1' }, { a: 1 }, ADMIN, query).content_hash;

  it('is another with another query', () => {
    expect(new Set([hashOf(), hashOf({ from: 'a' }), hashOf({ from: 'b' })]).size).toBe(3);
  });

  it('stays what it was where nothing stands in the query', () => {
    expect([hashOf(), hashOf({})]).toEqual(Array(2).fill(contentHash([{ id: '1' }, { a: 1 }, null])));
  });
});
