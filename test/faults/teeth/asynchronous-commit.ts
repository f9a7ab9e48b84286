import { Database } from '#database';

/** Broken on purpose: Postgres may acknowledge before its WAL is on disk, and nobody refuses to start on that. */
process.env.PGOPTIONS = '-c synchronous_commit=off';
Database.prototype.onModuleInit = () => Promise.resolve();
