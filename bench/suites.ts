import { bulkWrites } from './bulk/bulk-writes.suite.js';
import { eventReads } from './events/event-reads.suite.js';
import { eventWrites } from './events/event-writes.suite.js';
import { type Suite } from './section.js';

/** In the order in which they run. */
export const SUITES: Suite[] = [eventWrites, eventReads, bulkWrites];
