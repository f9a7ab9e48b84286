import { type StateConditions } from '#contracts';

/** `If-Match` and `If-None-Match` of a write (RFC 9110, section 13.1), as versions, see `tagsOf`. */
export function preconditions(if_match?: string, if_none_match?: string): StateConditions | undefined {
  if (if_match === undefined && if_none_match === undefined) return undefined;
  return {
    ...(if_match !== undefined && { if_match: tagsOf(if_match) }),
    ...(if_none_match !== undefined && { if_none_match: tagsOf(if_none_match) }),
  };
}

/** Whether a list of entity tags names this version, or is `*`; weakly, which `If-Match` would not have to allow. */
export function namesVersion(tags: string, version: number | string): boolean {
  return tagsOf(tags).some((tag) => tag === '*' || tag === String(version));
}

/** Versions without their quotes; whoever leaves the quotes out means a version, too. */
function tagsOf(header: string): string[] {
  // In quotes, `*` is a tag that no version has; without, it is any version.
  return header.split(',').map((tag) => tag.trim().replace(/^(?:W\/)?"([^"*]*)"$/, '$1'));
}
