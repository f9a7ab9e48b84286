import { KeySetting, LogLevelSetting, NumberSetting, SecretSetting, TextSetting, UrlSetting } from '#service';

/** What `npm start` is told. Everything has a default: nothing has to be set. */
export class StartConfig {
  /** The gateway's public port. */
  @NumberSetting(1, 65535) PORT = 3000;
  /** Embedded Postgres and NATS, keys and logs live here. */
  @TextSetting() FLOTILLA_DATA_DIR = '.flotilla';
  /** Secret with which keys are hashed; made at the first start unless set. */
  @SecretSetting(32, { optional: true }) KEY_SECRET?: string;
  /** The operator's key; made at the first start unless set. */
  @KeySetting(20, { optional: true }) FLOTILLA_OPERATOR_KEY?: string;
  /** The admin key of the first project; made at the first start unless set. */
  @KeySetting(20, { optional: true }) FLOTILLA_ADMIN_KEY?: string;
  /** A Postgres to use instead of the embedded one, as a role that may create roles, by password. */
  @UrlSetting(['postgres', 'postgresql'], { optional: true }) DATABASE_URL?: string;
  /** A NATS to use instead of the embedded one. */
  @UrlSetting(['nats', 'tls'], { many: true, optional: true }) NATS_URL?: string;
  @LogLevelSetting() LOG_LEVEL = 'info';
}
