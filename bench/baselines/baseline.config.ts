import { NumberSetting, TextSetting, UrlSetting } from '#service';

/** What a baseline's process is told. */
export class BaselineConfig {
  @NumberSetting(1, 65535) PORT!: number;
  @UrlSetting(['postgres', 'postgresql'], { optional: true }) DATABASE_URL?: string;
  @UrlSetting(['nats'], { optional: true }) NATS_URL?: string;
  /** Connections to Postgres. */
  @NumberSetting(1, 100) POOL_SIZE = 8;
  /** JSON: the project of each key. */
  @TextSetting() KEYS = '{}';
}
