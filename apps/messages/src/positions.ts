import { type Position } from '#database';

/** Positions compare as their texts do: both times and ids are written in one width and one case. */
function compare([at, id]: Position, [other_at, other_id]: Position): number {
  const [one, other] = at === other_at ? [id, other_id] : [at, other_at];
  return one < other ? -1 : Number(one > other);
}

/** The oldest of those given; undefined when none is. */
export function oldest(...positions: (Position | undefined)[]): Position | undefined {
  return positions.filter((position) => position !== undefined).sort(compare)[0];
}
