import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Failure, Reply, type Outcome } from '#contracts';
import { eventually, Link } from '#testing';
import { DataSource, type EntityManager } from 'typeorm';
import { dataSourceOptions } from './data-source.js';
import { Database } from './database.js';
import { idempotencyKeysTable, type WriteName } from './idempotency-keys.js';
import { writeOnce, type Named } from './write-once.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'keys_test';

interface Write extends Named {
  answer: string;
}

describe('a write', () => {
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

  const aName = (key: string, rest: Partial<WriteName> = {}): WriteName => ({
    ...{ project_id, route: 'POST /things', key, content_hash: 'same' },
    ...rest,
  });
  const aWrite = (key?: string, own_id?: string, rest: Partial<WriteName> = {}): Write => ({
    answer: randomUUID(),
    names: [
      ...(key ? [aName(key, rest)] : []),
      ...(own_id ? [aName(own_id, { route: 'thing id', ...rest })] : []),
    ],
  });
  const other = { content_hash: 'other' };

  const insert = async (writes: Write[], manager: EntityManager): Promise<Outcome<string>[]> => {
    const answers = writes.map(({ answer }) => answer);
    await manager.query(`INSERT INTO ${SCHEMA}.effects SELECT unnest($1::text[])`, [answers]);
    return answers.map((answer) => Reply.of(answer));
  };
  const together = (writes: Write[], effect = insert): Promise<Outcome<string>[]> =>
    writeOnce(schema.database, SCHEMA, writes, effect);
  const alone = async (write: Write, effect = insert): Promise<Outcome<string>> =>
    (await together([write], effect))[0]!;
  const refuse = (writes: Write[]): Promise<Outcome<string>[]> =>
    Promise.resolve(writes.map(() => new Failure('precondition_failed')));
  const effectsOf = async (writes: Write[]): Promise<string[]> => {
    const sql = `SELECT answer FROM ${SCHEMA}.effects WHERE answer = ANY($1)`;
    const rows = await schema.asService<Write>(sql, [writes.map(({ answer }) => answer)]);
    return rows.map(({ answer }) => answer);
  };

  const firstOf = ({ answer }: Write): Outcome<string> => Reply.of(answer);
  const repeatOf = ({ answer }: Write): Outcome<string> => Reply.of(answer, { replayed: true });
  const conflictOf = (first_content_hash: string, content_hash: string): unknown =>
    expect.objectContaining({
      code: 'idempotency_conflict',
      members: { first_content_hash, content_hash },
    });

  it('with a key that was used for the same content is answered by the first reply', async () => {
    const [first, again] = [aWrite('k'), aWrite('k')];
    expect(await alone(first)).toEqual(firstOf(first));
    expect(await alone(again)).toEqual(repeatOf(first));
    expect(await alone(aWrite('k'))).toEqual(repeatOf(first));
    expect(await effectsOf([again])).toEqual([]);
  });

  it('with a key that was used for other content is in conflict, with both hashes', async () => {
    await alone(aWrite('k'));
    expect(await alone(aWrite('k', undefined, other))).toEqual(conflictOf('same', 'other'));
  });

  it.each([
    ['project', { project_id: randomUUID() }],
    ['route', { route: 'POST /others' }],
    ['key', { key: 'K' }],
  ])('has nothing to do with those of another %s', async (_, rest) => {
    await alone(aWrite('k'));
    const stranger = aWrite('k', undefined, { ...other, ...rest });
    expect(await alone(stranger)).toEqual(firstOf(stranger));
  });

  it('is answered again with the very characters and the marks it had', async () => {
    const json = '{"b":1.0, "a":"\\u00e9 é\\n 😀"}';
    const answer = () => Promise.resolve([Reply.json<string>(json, { version: '7-1', repeated: true })]);
    await alone(aWrite('k'), answer);
    const marks = { version: '7-1', repeated: true, replayed: true };
    expect(await alone(aWrite('k'))).toEqual(Reply.json(json, marks));
  });

  it('leaves its key unused when its effect fails, and tells why', async () => {
    const [failing, next] = [aWrite('k'), aWrite('k')];
    const outcome = alone(failing, async (writes, manager) => {
      await insert(writes, manager);
      throw new Error('the effect failed');
    });
    await expect(outcome).rejects.toThrow('the effect failed');
    expect(await alone(next)).toEqual(firstOf(next));
    expect(await effectsOf([failing])).toEqual([]);
  });

  it('leaves its key unused when it is refused, and its neighbours alone', async () => {
    const writes = [aWrite('k'), aWrite('neighbour')];
    const outcomes = await together(writes, async ([first, ...rest], manager) => [
      ...(await refuse([first!])),
      ...(await insert(rest, manager)),
    ]);
    expect(outcomes).toEqual([new Failure('precondition_failed'), firstOf(writes[1]!)]);
    const next = aWrite('k');
    expect(await alone(next)).toEqual(firstOf(next));
  });

  it('happens once in twenty transactions that come at once', async () => {
    const writes = Array.from({ length: 20 }, () => aWrite('k'));
    const outcomes = await Promise.all(writes.map((write) => alone(write)));
    const [answer, ...more] = await effectsOf(writes);
    expect(more).toEqual([]);
    const bodies = outcomes.map((outcome) => (outcome as Reply<string>).body);
    expect(bodies).toEqual(bodies.map(() => answer));
    expect(outcomes.filter((outcome) => !(outcome as Reply<string>).marks.replayed)).toHaveLength(1);
  });

  it.each([
    ['fails', (): Promise<never> => Promise.reject(new Failure('conflict', 'It is there already'))],
    ['is refused', refuse],
  ])('that %s because of what its own first has just done, is its repeat', async (_, stumble) => {
    const [first, late] = [aWrite('k'), aWrite('k')];
    const outcome = await alone(late, async (writes) => {
      await alone(first);
      return stumble(writes);
    });
    expect(outcome).toEqual(repeatOf(first));
  });

  it('is undone and decided anew when another was quicker with its key', async () => {
    const [first, late, neighbour] = [aWrite('k'), aWrite('k'), aWrite('neighbour')];
    const tried: number[] = [];
    const outcomes = await together([late, neighbour], async (fresh, manager) => {
      if (tried.push(fresh.length) === 1) await alone(first);
      return insert(fresh, manager);
    });
    expect(tried).toEqual([2, 1]);
    expect(outcomes).toEqual([repeatOf(first), firstOf(neighbour)]);
    expect(await effectsOf([late, neighbour])).toEqual([neighbour.answer]);
  });

  it('happens once in a frame that names it more than once', async () => {
    const writes = [aWrite('k'), aWrite('k'), aWrite('k', undefined, other), aWrite('another')];
    expect(await together(writes)).toEqual([
      firstOf(writes[0]!),
      repeatOf(writes[0]!),
      conflictOf('same', 'other'),
      firstOf(writes[3]!),
    ]);
  });

  it('is answered by the first of many equal ones in a large frame', async () => {
    const writes = Array.from({ length: 250 }, (_, index) => aWrite(`${index % 7}`));
    expect(await together(writes)).toEqual(
      writes.map((write, index) => (index < 7 ? firstOf(write) : repeatOf(writes[index % 7]!))),
    );
  });

  it('is refused as often as a frame repeats it', async () => {
    const outcomes = await together([aWrite('k'), aWrite('k')], refuse);
    expect(outcomes).toEqual([new Failure('precondition_failed'), new Failure('precondition_failed')]);
  });

  it('without a key and without an id of its own is always new', async () => {
    const writes = [aWrite(), aWrite(), aWrite('k'), aWrite(undefined, 'i')];
    expect(await together(writes)).toEqual(writes.map(firstOf));
  });

  describe('with an id of its own', () => {
    it.each([
      ['the same key and the same id', 'k', 'i'],
      ['the same key and a new id', 'k', 'new'],
      ['the same key and no id', 'k', undefined],
      ['a new key and the same id', 'new', 'i'],
      ['no key and the same id', undefined, 'i'],
    ])('is a repeat with %s, or a conflict with other content', async (_, key, own_id) => {
      const first = aWrite('k', 'i');
      await alone(first);
      expect(await alone(aWrite(key, own_id, other))).toEqual(conflictOf('same', 'other'));
      expect(await alone(aWrite(key, own_id))).toEqual(repeatOf(first));
    });

    it('lets a new key remember the first reply', async () => {
      const first = aWrite(undefined, 'i');
      await alone(first);
      await alone(aWrite('k', 'i'));
      expect(await alone(aWrite('k'))).toEqual(repeatOf(first));
    });

    it('leaves its key unused when the id is in conflict', async () => {
      await alone(aWrite(undefined, 'i'));
      expect(await alone(aWrite('k', 'i', other))).toEqual(conflictOf('same', 'other'));
      const next = aWrite('k', 'new', other);
      expect(await alone(next)).toEqual(firstOf(next));
    });

    it('leaves its id unused when the key is in conflict', async () => {
      await alone(aWrite('k'));
      await alone(aWrite('k', 'i', other));
      const next = aWrite(undefined, 'i', other);
      expect(await alone(next)).toEqual(firstOf(next));
    });

    it('is answered like its equals of one frame', async () => {
      const writes = [aWrite('k', 'i'), aWrite('k', 'i'), aWrite('k'), aWrite(undefined, 'i')];
      const repeat = repeatOf(writes[0]!);
      expect(await together(writes)).toEqual([firstOf(writes[0]!), repeat, repeat, repeat]);
    });

    it('is answered like its equals of one frame by an older id', async () => {
      const first = aWrite(undefined, 'i');
      await alone(first);
      expect(await together([aWrite('k', 'i'), aWrite('k', 'i')])).toEqual([
        repeatOf(first),
        repeatOf(first),
      ]);
    });

    it('is never acknowledged when its equal of the same frame was refused', async () => {
      await alone(aWrite(undefined, 'i'));
      expect(await together([aWrite('k', 'i', other), aWrite('k', 'i', other)])).toEqual([
        conflictOf('same', 'other'),
        conflictOf('same', 'other'),
      ]);
    });

    it('speaks for its key when it is the first of a frame, and lets the key go with it', async () => {
      await alone(aWrite(undefined, 'i'));
      expect(await together([aWrite('k', 'i', other), aWrite('k', 'new')])).toEqual([
        conflictOf('same', 'other'),
        conflictOf('other', 'same'),
      ]);
      const next = aWrite('k', 'new');
      expect(await alone(next)).toEqual(firstOf(next));
    });
  });

  describe('whose COMMIT comes through with its answer lost', () => {
    let link: Link;
    let source: DataSource;

    beforeEach(async () => {
      const url = new URL(schema.service_url);
      let isLost = false;
      link = await Link.to(Number(url.port), () => (chunk) => {
        if (!isLost && chunk.includes('COMMIT')) {
          isLost = true;
          link.silence(['down']);
        }
        return chunk;
      });
      url.port = String(link.port);
      source = await new DataSource(
        dataSourceOptions({ schema: SCHEMA, url: url.href, entities: [] }),
      ).initialize();
    });
    afterEach(async () => {
      await source.destroy();
      link.close();
    });

    const lost = async (writes: Write[]): Promise<Outcome<string>[]> => {
      const outcomes = writeOnce(new Database(source), SCHEMA, writes, insert);
      const cut = eventually(async () => (await effectsOf(writes)).length > 0).then(() => {
        link.cut();
        link.heal();
      });
      const [settled] = await Promise.allSettled([outcomes, cut]);
      if (settled.status === 'rejected') throw settled.reason;
      return settled.value;
    };

    it('is not made again, nor is one without a name beside it', async () => {
      const writes = [aWrite('k'), aWrite()];
      await expect(lost(writes)).rejects.toMatchObject({ code: 'unavailable' });
      expect(await effectsOf(writes)).toHaveLength(2);
      expect(await alone(aWrite('k'))).toEqual(repeatOf(writes[0]!));
    });

    it('is its own repeat in a frame where all have names', async () => {
      const writes = [aWrite('k'), aWrite(undefined, 'i')];
      expect(await lost(writes)).toEqual(writes.map(repeatOf));
      expect(await effectsOf(writes)).toHaveLength(2);
    });
  });

  it('never meets a deadlock, in whatever order large frames name it', async () => {
    const writes = Array.from({ length: 250 }, (_, index) => aWrite(`${index}`));
    const frames = fc.sample(fc.shuffledSubarray(writes, { minLength: writes.length }), 8);
    await Promise.all(frames.map((frame) => together(frame)));
    expect(await effectsOf(writes)).toHaveLength(writes.length);
    const sql = 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()';
    expect(await schema.asOwner(sql)).toEqual([{ deadlocks: '0' }]);
  });

  it('is answered only by what has happened, in whatever order frames name it', async () => {
    const names = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: undefined });
    const frames = fc.array(
      fc.array(fc.tuple(names, names, fc.constantFrom('same', 'other')), { minLength: 1, maxLength: 8 }),
      { minLength: 2, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(frames, async (plan) => {
        project_id = randomUUID();
        const written = plan.map((frame) =>
          frame.map(([key, own_id, content_hash]) => aWrite(key, own_id, { content_hash })),
        );
        const outcomes = (await Promise.all(written.map((frame) => together(frame)))).flat();
        const replies = outcomes.flatMap((outcome) => (outcome instanceof Failure ? [] : [outcome]));
        const effects = await effectsOf(written.flat());
        expect(new Set(replies.map(({ body }) => body))).toEqual(new Set(effects));
        expect(effects).toHaveLength(replies.filter(({ marks }) => !marks.replayed).length);
      }),
      { numRuns: 60 },
    );
  });
});
