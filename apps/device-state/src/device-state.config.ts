import { AppConfig, NumberSetting } from '#service';

export class DeviceStateConfig extends AppConfig {
  /** Whole months of history older than this many days are dropped; kept for ever unless set. */
  @NumberSetting(1, 36_500, { optional: true }) STATE_HISTORY_RETENTION_DAYS?: number;
}
