import { Failure, Reply, type CallContext, type Outcome, type ReplyMarks } from '#contracts';
import { type EntityManager } from 'typeorm';
import { type Database } from './database.js';
import { findNames, saveNames, type KeptName, type Query, type WriteName } from './idempotency-keys.js';

/** A write and its names, the stronger first: its idempotency key, its own id, both or neither. */
export interface Named {
  names: WriteName[];
}

/**
 * Makes the effects of a frame's writes in one transaction, and each write once: one whose name was used before gets
 * the first reply, marked, or with other content a conflict with both hashes. Outcomes are in the order of the
 * writes.
 *
 * `effect` gets the writes that are new, and answers each by its reply, or by the Failure that leaves its names
 * unused; of equal names in a frame the first speaks for the others. Names are saved after the effect: whoever
 * waits for one holds all its other locks, and whoever holds one waits for nothing else.
 *
 * When another transaction was quicker with one of the names, all is undone and decided anew with that known; also
 * when the effect has failed or refused, as what stood in its way may be what its own first has done. So `effect` may
 * be called again, and must keep nothing of what it did before. When it is unclear whether a COMMIT came through, a
 * frame is decided anew only if all its writes have names, and are known again if they were made.
 */
export async function writeOnce<Write extends Named, T>(
  database: Database,
  schema: string,
  writes: Write[],
  effect: (fresh: Write[], manager: EntityManager) => Promise<Outcome<T>[]>,
): Promise<Outcome<T>[]> {
  const find = (query: Query) => findNames(query, schema, namesOf(writes));
  for (let used: KeptName[] = []; ;) {
    let unnamed: Write[] = [];
    try {
      return await database.transaction(async (manager) => {
        const query: Query = (sql, values) => manager.query(sql, values);
        used = await find(query);
        const frame = new Frame<Write, T>(writes, used);
        if (frame.fresh.length > 0) frame.made = await effect(frame.fresh, manager);
        const late = await findNames(query, schema, frame.refused);
        if (late.length > 0) throw new Error('What was refused has happened meanwhile');
        await saveNames(manager, schema, frame.kept);
        unnamed = frame.fresh.filter(({ names }) => names.length === 0);
        return frame.outcomes;
      });
    } catch (error) {
      // Their COMMIT may have come through with its answer lost, and nothing would tell that they were made.
      if (unnamed.length > 0) throw error;
      const now = await find((sql, values) => database.rows(sql, values));
      // Names are never forgotten, so this ends.
      if (now.length === used.length) throw error;
      used = now;
    }
  }
}

/** The idempotency key of a call, if it has one. */
export function keyOf({
  caller: { project_id },
  idempotency,
}: Pick<CallContext, 'caller' | 'idempotency'>): WriteName[] {
  return idempotency ? [{ ...idempotency, project_id }] : [];
}

/** What a name was used for. Of a write that this very frame makes, the outcome is there once it is made. */
interface Use<T> {
  content_hash: string;
  outcome: () => Outcome<T>;
}

/** The writes of a frame by what their names were used for: before, or by another that comes earlier in it. */
class Frame<Write extends Named, T> {
  readonly fresh: Write[] = [];
  /** What became of `fresh`. */
  made: Outcome<T>[] = [];
  private readonly uses: Map<string, Use<T>>;
  private readonly added: WriteName[] = [];
  private readonly decisions: (() => Outcome<T>)[];

  constructor(writes: Write[], used: KeptName[]) {
    this.uses = new Map(used.map((name) => [idOf(name), { ...name, outcome: () => replyOf(name.answer) }]));
    this.decisions = writes.map((write) => this.decide(write));
  }

  /** Names of writes that were refused. */
  get refused(): WriteName[] {
    return namesOf(this.fresh.filter((_, place) => this.made[place] instanceof Failure));
  }

  /** The names that are used from now on. */
  get kept(): KeptName[] {
    return this.added.flatMap((name) => {
      const outcome = this.uses.get(idOf(name))!.outcome();
      return outcome instanceof Failure ? [] : { ...name, answer: answerOf(outcome) };
    });
  }

  get outcomes(): Outcome<T>[] {
    return this.decisions.map((outcome) => outcome());
  }

  private decide(write: Write): () => Outcome<T> {
    const known = write.names.findIndex((name) => this.uses.has(idOf(name)));
    const outcome = known === -1 ? this.first(write) : this.again(write.names[known]!);
    // Weaker names than the one that is known stay as they are.
    for (const name of write.names.slice(0, known === -1 ? undefined : known)) {
      this.uses.set(idOf(name), { content_hash: name.content_hash, outcome });
      this.added.push(name);
    }
    return outcome;
  }

  private first(write: Write): () => Outcome<T> {
    const place = this.fresh.push(write) - 1;
    return () => this.made[place]!;
  }

  private again(name: WriteName): () => Outcome<T> {
    const { content_hash, outcome } = this.uses.get(idOf(name))!;
    if (content_hash !== name.content_hash) {
      const members = { first_content_hash: content_hash, content_hash: name.content_hash };
      return () => new Failure('idempotency_conflict', undefined, { members });
    }
    return () => {
      const first = outcome();
      return first instanceof Failure ? first : Reply.json(first.json, { ...first.marks, replayed: true });
    };
  }
}

/** Equal for the same key of the same project and route. */
function idOf({ project_id, route, key }: WriteName): string {
  // Only a route has blanks.
  return `${project_id} ${key} ${route}`;
}

function namesOf(writes: Named[]): WriteName[] {
  return writes.flatMap(({ names }) => names);
}

function answerOf({ json, marks: { replayed: _, ...marks } }: Reply<unknown>): string {
  return `${JSON.stringify(marks)}\n${json as string}`;
}

function replyOf<T>(answer: string): Reply<T> {
  const end = answer.indexOf('\n');
  // Answers that were kept before there were marks have none.
  const marks = end === -1 ? {} : (JSON.parse(answer.slice(0, end)) as ReplyMarks);
  return Reply.json(answer.slice(end + 1), marks);
}
