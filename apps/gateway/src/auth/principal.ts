import { type Caller } from '#contracts';

/** Whose key it is. The operator belongs to no project: its `project_id` is empty. */
export interface Principal {
  caller: Caller;
  expires_at_ms: number;
}
