import { misusable, unequal } from './answers.js';
import { foreign, lost } from './durability.js';
import { type Evidence, type Finding } from './evidence.js';
import { brokenOff, madeUp, toldAgain, toldOutOfOrder, untold } from './feeds.js';
import { disturbed } from './harmless.js';
import { contradictory, duplicated, torn } from './once.js';
import { collapsedInOverload, lostInOverload, slowInOverload, unexplainedInOverload } from './overload.js';
import { gaps, misnumbered, reordered } from './order.js';
import { breached, givenUp, slow, unrecovered, unsettled } from './recovery.js';
import { impossible, late, silent, unexplained } from './refusals.js';
import { leakedAnswers, mixedLogs } from './walls.js';

const CHECKS: Record<string, (evidence: Evidence) => string[]> = {
  'C1 lost': lost,
  'C1 never sent': foreign,
  'C2 duplicated': duplicated,
  'C2 row and key apart': torn,
  'C2 contradictions': contradictory,
  'C2 lost on the way': untold,
  'C2 repeated on the way': toldAgain,
  'C2 made up on the way': madeUp,
  'C3 gaps': gaps,
  'C3 reordered': reordered,
  'C3 answer and row differ': misnumbered,
  'C3 reordered on the way': toldOutOfOrder,
  'C4 unequal answers': unequal,
  'C4 key with other content': misusable,
  'C5 not recovered': unrecovered,
  'C5 given up': givenUp,
  'C5 still on its way': unsettled,
  'C5 late': slow,
  'revoked keys that opened': breached,
  'C6 foreign ids in answers': leakedAnswers,
  'C6 mixed log lines': mixedLogs,
  'C7 acknowledged the impossible': impossible,
  'C7 failure without 503 and Retry-After': unexplained,
  'C7 late': late,
  'C7 silent': silent,
  'C7 streams without 503': brokenOff,
  'failed in a rolling restart': disturbed,
  'C1 lost in an overload': lostInOverload,
  'C7 failure without 503 and Retry-After in an overload': unexplainedInOverload,
  'overload slow': slowInOverload,
  'overload collapsed': collapsedInOverload,
};

/** Every check on the evidence, in their order. */
export function judge(evidence: Evidence): Finding[] {
  return Object.entries(CHECKS).map(([check, find]) => ({ check, violations: find(evidence) }));
}
