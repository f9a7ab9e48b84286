import { eventReads } from './events/event-reads.suite.js';
import { eventWrites } from './events/event-writes.suite.js';
import { type Suite } from './section.js';
import { timelineReads } from './timeline/timeline-reads.suite.js';

/** In the order in which they run. */
export const SUITES: Suite[] = [eventWrites, eventReads, timelineReads];
