import { isSameJson, type JsonObject } from './json-equality.js';

/** What a report gives to judge it by. */
export interface Evidence {
  sequence?: number;
  boot_id?: string;
  /** When it was so, as far as the device says, as in `DeviceRecord`; absent when it says nothing. */
  timestamp?: string;
  /** What the state would become. */
  document: JsonObject;
}

/** What is known of the last report that was believed. */
export interface Memory {
  sequence: number | null;
  boot_id: string | null;
  earlier_boot_ids: readonly string[];
  timestamp: string | null;
  /** Null when there is no state: never reported, or deleted. */
  document: JsonObject | null;
}

export type Judgement = 'newer' | 'duplicate' | 'stale';

/**
 * One way to tell a repeat from a change. Pure: equal evidence gets equal judgement. Rules about `order` are
 * asked from the strongest on, and the first that can tell decides the order; rules about `content` are asked then.
 */
export interface DuplicateRule {
  readonly name: string;
  readonly about: 'order' | 'content';
  /** @returns undefined when the report gives no evidence of this kind */
  judge(report: Evidence, last: Memory): Judgement | undefined;
}

/** A device that counts its reports: what is not above the last is a repeat or came late. */
export const bySequence: DuplicateRule = {
  name: 'sequence',
  about: 'order',
  judge({ sequence, boot_id }, last) {
    if (sequence === undefined) return undefined;
    if (boot_id !== undefined && boot_id !== last.boot_id) {
      return last.earlier_boot_ids.includes(boot_id) ? 'stale' : 'newer';
    }
    if (last.sequence === null || sequence > last.sequence) return 'newer';
    return sequence === last.sequence ? 'duplicate' : 'stale';
  },
};

/** A device that knows when, or how long ago, it was so. */
export const byTimestamp: DuplicateRule = {
  name: 'timestamp',
  about: 'order',
  judge({ timestamp }, last) {
    if (timestamp === undefined) return undefined;
    return last.timestamp !== null && timestamp < last.timestamp ? 'stale' : 'newer';
  },
};

/** Every report: what leaves the state as it is changes nothing. */
export const byContent: DuplicateRule = {
  name: 'content',
  about: 'content',
  judge({ document }, last) {
    return last.document !== null && isSameJson(document, last.document) ? 'duplicate' : 'newer';
  },
};

/** Strongest first. Before them all stands the idempotency key: a key that was seen never gets here. */
export const DUPLICATE_RULES: readonly DuplicateRule[] = [bySequence, byTimestamp, byContent];

export interface Verdict {
  result: 'applied' | 'duplicate' | 'stale';
  /** Whether the report says something of its own, so that later ones are held against it. */
  is_news: boolean;
}

export function verdictOn(
  report: Evidence,
  last: Memory,
  rules: readonly DuplicateRule[] = DUPLICATE_RULES,
): Verdict {
  let orderIsKnown = false;
  for (const rule of rules) {
    if (rule.about === 'order' && orderIsKnown) continue;
    const judgement = rule.judge(report, last);
    if (judgement === 'duplicate' || judgement === 'stale') {
      return { result: judgement, is_news: rule.about === 'content' };
    }
    if (rule.about === 'order' && judgement === 'newer') orderIsKnown = true;
  }
  return { result: 'applied', is_news: true };
}
