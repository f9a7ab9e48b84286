import { bulkWrites } from './bulk/bulk-writes.suite.js';
import { eventReads } from './events/event-reads.suite.js';
import { eventWrites } from './events/event-writes.suite.js';
import { noisyProject } from './events/noisy-project.suite.js';
import { firmware } from './firmware/firmware.suite.js';
import { growth } from './growth/growth.suite.js';
import { messages } from './messages/messages.suite.js';
import { prices } from './prices/prices.suite.js';
import { type Suite } from './section.js';
import { states } from './states/states.suite.js';
import { stream } from './stream/stream.suite.js';
import { timelineReads } from './timeline/timeline-reads.suite.js';

/** In the order in which they run. */
export const SUITES: Suite[] = [
  eventWrites,
  eventReads,
  noisyProject,
  states,
  firmware,
  messages,
  prices,
  bulkWrites,
  timelineReads,
  stream,
  ...growth,
];
