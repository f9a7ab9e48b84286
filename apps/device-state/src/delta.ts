import { isObject, isSameJson, type Json, type JsonObject } from './json-equality.js';

/**
 * The part of `desired` that `current` does not show yet; undefined when it shows all of it. A desired null is
 * shown by what is not there. Merged into `current`, a delta leaves none.
 */
export function deltaOf(desired: JsonObject, current: JsonObject): JsonObject | undefined {
  const missing: [string, Json][] = [];
  for (const [name, wish] of Object.entries(desired)) {
    const shown = Object.hasOwn(current, name) ? current[name] : undefined;
    if (isSameJson(wish, shown) || (wish === null && shown === undefined)) continue;
    if (!isObject(wish) || !isObject(shown)) {
      missing.push([name, wish]);
      continue;
    }
    const inner = deltaOf(wish, shown);
    if (inner) missing.push([name, inner]);
  }
  return missing.length > 0 ? Object.fromEntries(missing) : undefined;
}
