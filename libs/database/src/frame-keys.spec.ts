import { randomUUID } from 'node:crypto';
import { FrameKeys, KeyTaken } from './frame-keys.js';
import { idempotencyKeysTable, type Claim } from './idempotency-keys.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'frame_keys_test';

describe('the keys of a frame', () => {
  let schema: TestSchema;
  let project_id: string;
  beforeAll(async () => {
    schema = await testSchema(SCHEMA, idempotencyKeysTable(SCHEMA));
  });
  beforeEach(() => {
    project_id = randomUUID();
  });
  afterAll(() => schema.close());

  const aClaim = (rest: Partial<Claim> = {}): Claim => ({
    project_id,
    route: 'PATCH /things',
    key: 'k',
    content_hash: 'same',
    answer: 'first',
    ...rest,
  });
  const inFrame = <Result>(names: Claim[], work: (keys: FrameKeys) => Result): Promise<Result> =>
    schema.transaction(async (manager) => {
      const keys = await FrameKeys.load(manager, SCHEMA, names);
      const result = work(keys);
      await keys.save();
      return result;
    });

  it('are new until they are used, in this frame or in one before', async () => {
    const claim = aClaim();
    const seen = await inFrame([claim], (keys) => {
      const before = keys.earlier(claim);
      keys.use(claim);
      return [before, keys.earlier(claim)];
    });
    expect(seen).toEqual([undefined, { first: false, answer: 'first' }]);
    expect(await inFrame([claim], (keys) => keys.earlier(claim))).toEqual({ first: false, answer: 'first' });
  });

  it('conflict when they come with other content', async () => {
    await inFrame([aClaim()], (keys) => keys.use(aClaim()));
    const other = aClaim({ content_hash: 'other' });
    expect(await inFrame([other], (keys) => keys.earlier(other))).toMatchObject({
      conflict: { code: 'idempotency_conflict' },
    });
  });

  it('stay unused when the frame fails', async () => {
    const failing = inFrame([aClaim()], (keys) => {
      keys.use(aClaim());
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await inFrame([aClaim()], (keys) => keys.earlier(aClaim()))).toBeUndefined();
  });

  it('are taken when another frame was quicker', async () => {
    const slow = schema.transaction(async (manager) => {
      const keys = await FrameKeys.load(manager, SCHEMA, [aClaim()]);
      await inFrame([aClaim()], (others) => others.use(aClaim()));
      keys.use(aClaim({ answer: 'second' }));
      await keys.save();
    });
    await expect(slow).rejects.toThrow(KeyTaken);
  });
});
