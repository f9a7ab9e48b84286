import { type Struck } from '../fault.js';
import { type AuditRecord, type FeedRecord } from '../feed-record.js';
import { type History } from '../history.js';
import { type Overload } from '../overload.js';
import { type Project } from '../project.js';
import { type Settled } from '../settled.js';
import { type Stored } from './stored.js';

/** All that a check may go by: what was sent and answered, what is stored in the end, what befell the system. */
export interface Evidence {
  history: History;
  stored: Stored;
  feeds: readonly FeedRecord[];
  audit: AuditRecord;
  settled: Settled;
  struck: readonly Struck[];
  overloads: readonly Overload[];
  projects: readonly Project[];
  /** Lines of the logs of all apps. */
  logs: readonly string[];
}

/** What a check found: each violation is one sentence. */
export interface Finding {
  check: string;
  violations: string[];
}
