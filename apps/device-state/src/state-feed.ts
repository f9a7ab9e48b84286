import { type FeedSource } from '#feeds';
import { stateEntryJson, type StateChange } from './state-entry.js';

/** What happens to states, in the order of each device's versions. */
export const STATE_FEED: FeedSource<StateChange> = {
  kind: 'state',
  table: 'device_state.history',
  columns: [
    ...['device_id', 'recorded_at', 'version::int', 'operation', 'result', 'patch::text'],
    ...['"timestamp"', 'clock', 'key_id'],
  ],
  recorded_at: 'recorded_at',
  entryJson: stateEntryJson,
};
