import { isObject, isSameJson, type Json, type JsonObject } from './json-equality.js';

/**
 * JSON merge patch, RFC 7396. Neither argument is changed, and a patch that changes nothing gives the target itself.
 * Names are data whatever they are: none reaches a prototype.
 */
export function mergePatch(target: Json | undefined, patch: JsonObject): JsonObject;
export function mergePatch(target: Json | undefined, patch: Json): Json;
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return isSameJson(target, patch) ? target! : patch;
  const members = new Map<string, Json>(isObject(target) ? Object.entries(target) : []);
  let isChanged = !isObject(target);
  for (const [name, value] of Object.entries(patch)) {
    const before = members.get(name);
    if (value === null) {
      isChanged = members.delete(name) || isChanged;
    } else {
      const after = mergePatch(before, value);
      isChanged ||= after !== before;
      members.set(name, after);
    }
  }
  return isChanged ? Object.fromEntries(members) : target!;
}
