import { AsyncLocalStorage } from 'node:async_hooks';

/** Projects whose rows the work under way may see: these, or every one. */
export type ProjectScope = readonly string[] | 'every';

const scope = new AsyncLocalStorage<() => ProjectScope>();

/**
 * Runs work for these projects: whatever it asks the database for, however deep, it sees rows of no other. They are
 * asked for at each statement, as who is served may be known only after the work has begun.
 */
export function withinProjects<T>(projects: () => ProjectScope, work: () => T): T {
  return scope.run(projects, work);
}

/** Runs work that is for all projects by its nature, such as finding whose key this is. Each use is listed in a test. */
export function acrossProjects<T>(work: () => T): T {
  return scope.run(() => 'every', work);
}

/** The projects of the work under way; none for work that nobody gave any. */
export function projectsInScope(): ProjectScope {
  return scope.getStore()?.() ?? [];
}
