import { AppConfig, NumberSetting } from '#service';

export class ActivityEventsConfig extends AppConfig {
  /** Whole months of events older than this many days are dropped; kept for ever unless set. */
  @NumberSetting(1, 36_500, { optional: true }) EVENTS_RETENTION_DAYS?: number;
}
