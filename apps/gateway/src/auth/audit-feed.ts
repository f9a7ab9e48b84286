import { type AuditEntry } from '#contracts';
import { type FeedSource } from '#feeds';

type Row = Omit<AuditEntry, 'who' | 'origin' | 'details'> & {
  who: string;
  origin: string;
  details: string;
};

/** Changes of projects, members, devices and keys as they were committed. */
export const AUDIT_FEED: FeedSource<Row> = {
  kind: 'audit',
  table: 'auth.audit_entries',
  columns: [
    'at',
    'action',
    'subject_id',
    'subject',
    'device_id',
    'who::text',
    'origin::text',
    'details::text',
  ],
  recorded_at: 'at',
  entryJson: ({ id, project_id, at, action, subject_id, subject, device_id, who, origin, details }) => {
    const entry = { id, project_id, at, action, subject_id, subject, device_id };
    return `${JSON.stringify(entry).slice(0, -1)},"who":${who},"origin":${origin},"details":${details}}`;
  },
};
