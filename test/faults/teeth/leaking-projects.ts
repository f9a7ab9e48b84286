import { type Connection } from 'pg';
import { ScopedQuery } from '#database';
import './forgetful-lists.js';

const { prepare } = ScopedQuery.prototype;
/** The settings that each connection of the pool has had. */
const kept = new WeakMap<Connection, Set<string>>();

/** Broken on purpose: a connection keeps the projects of all that it was used for. */
ScopedQuery.prototype.prepare = function (connection: Connection) {
  const setting = this as unknown as { projects: string };
  const all = kept.get(connection) ?? new Set();
  kept.set(connection, all);
  for (const project of setting.projects.matchAll(/"([^"]+)"/g)) all.add(project[0]);
  if (setting.projects !== 'every') setting.projects = `{${[...all].join()}}`;
  prepare.call(this, connection);
};
