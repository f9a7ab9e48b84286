import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  claimKeys,
  claimWrites,
  idempotencyKeysTable,
  type Claim,
  type Claimed,
  type Write,
} from './idempotency-keys.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'keys_test';
const FIRST: Claimed = { first: true };

describe('idempotency keys', () => {
  let schema: TestSchema;
  let project_id: string;

  beforeAll(async () => {
    schema = await testSchema(
      SCHEMA,
      idempotencyKeysTable(SCHEMA),
      `CREATE TABLE ${SCHEMA}.effects (answer text NOT NULL)`,
    );
  });
  beforeEach(() => {
    project_id = randomUUID();
  });
  afterAll(() => schema.close());

  const claim = (rest: Partial<Claim> = {}): Claim => ({
    project_id,
    route: 'POST /things',
    key: 'k',
    content_hash: 'same',
    answer: `answer ${randomUUID()}`,
    ...rest,
  });
  const claimAlone = async (one: Claim): Promise<Claimed> => {
    const [outcome] = await schema.transaction((manager) => claimKeys(manager, SCHEMA, [one]));
    return outcome!;
  };
  const repeatOf = ({ answer }: { answer: string }): Claimed => ({ first: false, answer });
  const conflictOf = (first: string, second: string): unknown => ({
    first: false,
    conflict: expect.objectContaining({
      code: 'idempotency_conflict',
      members: { first_content_hash: first, content_hash: second },
    }),
  });

  it('answer the same key with the same content by the first answer', async () => {
    const first = claim();
    expect(await claimAlone(first)).toEqual(FIRST);
    expect(await claimAlone(claim())).toEqual(repeatOf(first));
    expect(await claimAlone(claim())).toEqual(repeatOf(first));
  });

  it('answer the same key with other content by a conflict with both hashes', async () => {
    await claimAlone(claim({ content_hash: 'one' }));
    expect(await claimAlone(claim({ content_hash: 'other' }))).toEqual(conflictOf('one', 'other'));
  });

  it.each([
    ['project', { project_id: randomUUID() }],
    ['route', { route: 'POST /others' }],
    ['key', { key: 'K' }],
  ])('of another %s are other keys', async (_, other) => {
    await claimAlone(claim({ content_hash: 'one' }));
    expect(await claimAlone(claim({ content_hash: 'other', ...other }))).toEqual(FIRST);
  });

  it('keep an answer with the very characters it had', async () => {
    const answer = '{"b":1.0, "a":"\\u00e9 é 😀"}';
    await claimAlone(claim({ answer }));
    expect(await claimAlone(claim())).toEqual(repeatOf({ answer }));
  });

  it('leave no trace when the effect fails', async () => {
    const failing = schema.transaction(async (manager) => {
      await claimKeys(manager, SCHEMA, [claim()]);
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await claimAlone(claim())).toEqual(FIRST);
  });

  it('make one effect of twenty transactions that come at once', async () => {
    const claims = Array.from({ length: 20 }, () => claim());
    const outcomes = await Promise.all(claims.map(claimAlone));
    const winner = claims[outcomes.findIndex(({ first }) => first)]!;
    expect(outcomes.filter(({ first }) => first)).toHaveLength(1);
    expect(outcomes.filter(({ first }) => !first)).toEqual(Array(19).fill(repeatOf(winner)));
  });

  it('make one effect of equal claims in one frame', async () => {
    const claims = [claim(), claim(), claim({ content_hash: 'other' }), claim({ key: 'another' })];
    const outcomes = await schema.transaction((manager) => claimKeys(manager, SCHEMA, claims));
    expect(outcomes).toEqual([FIRST, repeatOf(claims[0]!), conflictOf('same', 'other'), FIRST]);
  });

  it('remember the answer of the first of many equal claims in a large frame', async () => {
    const claims = Array.from({ length: 250 }, (_, index) => claim({ key: `${index % 7}` }));
    const outcomes = await schema.transaction((manager) => claimKeys(manager, SCHEMA, claims));
    expect(outcomes).toEqual(claims.map((_, index) => (index < 7 ? FIRST : repeatOf(claims[index % 7]!))));
  });

  describe('and ids of the caller’s own', () => {
    const idClaim = (id: string, rest: Partial<Claim> = {}): Claim =>
      claim({ route: 'thing id', key: id, ...rest });
    /** As services make writes: both claims remember one answer. */
    const write = (key?: string, own_id?: string, rest: Partial<Claim> = {}): Write & { answer: string } => {
      const { answer } = claim(rest);
      return {
        answer,
        ...(key && { key: claim({ key, answer, ...rest }) }),
        ...(own_id && { own_id: idClaim(own_id, { answer, ...rest }) }),
      };
    };
    const claimTogether = (...writes: Write[]): Promise<Claimed[]> =>
      schema.transaction((manager) => claimWrites(manager, SCHEMA, writes));
    const other = { content_hash: 'other' };

    it('are new only when both are', async () => {
      expect(await claimTogether(write('k', 'i'))).toEqual([FIRST]);
    });

    it('are not needed: a write without either is always new', async () => {
      expect(await claimTogether(write(), write(), write('k'), write(undefined, 'i'))).toEqual(
        Array(4).fill(FIRST),
      );
    });

    it.each([
      ['the same key and the same id', 'k', 'i'],
      ['the same key and a new id', 'k', 'new'],
      ['the same key and no id', 'k', undefined],
      ['a new key and the same id', 'new', 'i'],
      ['no key and the same id', undefined, 'i'],
    ])('are a repeat with %s', async (_, key, own_id) => {
      const first = write('k', 'i');
      await claimTogether(first);
      expect(await claimTogether(write(key, own_id))).toEqual([repeatOf(first)]);
    });

    it.each([
      ['the same key and the same id', 'k', 'i'],
      ['the same key and a new id', 'k', 'new'],
      ['a new key and the same id', 'new', 'i'],
      ['no key and the same id', undefined, 'i'],
    ])('are a conflict with other content, %s', async (_, key, own_id) => {
      await claimTogether(write('k', 'i'));
      expect(await claimTogether(write(key, own_id, other))).toEqual([conflictOf('same', 'other')]);
    });

    it('let a new key of a repeated id remember the first answer', async () => {
      const first = write(undefined, 'i');
      await claimTogether(first);
      await claimTogether(write('k', 'i'));
      expect(await claimTogether(write('k'))).toEqual([repeatOf(first)]);
    });

    it('let go of a new key whose id is in conflict, so that it can still be used', async () => {
      await claimTogether(write(undefined, 'i'));
      expect(await claimTogether(write('k', 'i', other))).toEqual([conflictOf('same', 'other')]);
      expect(await claimTogether(write('k', 'new', other))).toEqual([FIRST]);
    });

    it('leave a new id free whose key is in conflict', async () => {
      await claimTogether(write('k'));
      await claimTogether(write('k', 'i', other));
      expect(await claimTogether(write(undefined, 'i', other))).toEqual([FIRST]);
    });

    it('answer equal writes of one frame alike', async () => {
      const first = write('k', 'i');
      expect(await claimTogether(first, write('k', 'i'), write('k'), write(undefined, 'i'))).toEqual([
        FIRST,
        repeatOf(first),
        repeatOf(first),
        repeatOf(first),
      ]);
    });

    it('answer a repeat in the same frame by the first answer of an older id', async () => {
      const first = write(undefined, 'i');
      await claimTogether(first);
      expect(await claimTogether(write('k', 'i'), write('k', 'i'))).toEqual([
        repeatOf(first),
        repeatOf(first),
      ]);
    });

    it('never acknowledge a repeat in the same frame of what was refused', async () => {
      await claimTogether(write(undefined, 'i'));
      expect(await claimTogether(write('k', 'i', other), write('k', 'i', other))).toEqual([
        conflictOf('same', 'other'),
        conflictOf('same', 'other'),
      ]);
    });

    it('let the first of a frame speak for its key, and let the key go with it', async () => {
      await claimTogether(write(undefined, 'i'));
      expect(await claimTogether(write('k', 'i', other), write('k', 'new'))).toEqual([
        conflictOf('same', 'other'),
        conflictOf('other', 'same'),
      ]);
      expect(await claimTogether(write('k', 'new'))).toEqual([FIRST]);
    });

    it('never deadlock, and never answer what has no effect, in whatever order frames name them', async () => {
      const names = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: undefined });
      const frames = fc.array(
        fc.array(fc.tuple(names, names, fc.constantFrom('same', 'other')), { minLength: 1, maxLength: 8 }),
        { minLength: 2, maxLength: 12 },
      );
      const commit = (writes: (Write & { answer: string })[]): Promise<Claimed[]> =>
        schema.transaction(async (manager) => {
          const outcomes = await claimWrites(manager, SCHEMA, writes);
          const effects = writes.filter((_, index) => outcomes[index]!.first).map(({ answer }) => answer);
          await manager.query(`INSERT INTO ${SCHEMA}.effects SELECT unnest($1::text[])`, [effects]);
          return outcomes;
        });
      await fc.assert(
        fc.asyncProperty(frames, async (plan) => {
          project_id = randomUUID();
          const written = plan.map((frame) =>
            frame.map(([key, own_id, content_hash]) => write(key, own_id, { content_hash })),
          );
          const outcomes = (await Promise.all(written.map(commit))).flat();
          const writes = written.flat();
          const acknowledged = outcomes.flatMap((outcome, index) =>
            outcome.first ? writes[index]!.answer : 'answer' in outcome ? outcome.answer : [],
          );
          const effects = await schema.asService<{ answer: string }>(
            `SELECT answer FROM ${SCHEMA}.effects WHERE answer = ANY($1)`,
            [writes.map(({ answer }) => answer)],
          );
          expect(new Set(acknowledged)).toEqual(new Set(effects.map(({ answer }) => answer)));
          expect(effects).toHaveLength(outcomes.filter(({ first }) => first).length);
        }),
        { numRuns: 60 },
      );
    });
  });
});
