import { AppConfig, KeySetting, NumberSetting, SecretSetting, TextSetting } from '#service';

export class GatewayConfig extends AppConfig {
  /** Public listener: the REST API. */
  @NumberSetting(0, 65535) PORT = 3000;
  /** Secret with which keys are hashed. A change of it makes every key worthless. */
  @SecretSetting(32) KEY_SECRET!: string;
  /** The operator’s key: whoever holds it runs the instance. */
  @KeySetting(20) FLOTILLA_OPERATOR_KEY!: string;
  /** The admin key of the first project, `demo`. */
  @KeySetting(20) FLOTILLA_ADMIN_KEY!: string;
  /** Requests that one key may make in a window; more are answered 429. */
  @NumberSetting(1, 1_000_000_000) RATE_LIMIT_REQUESTS = 600_000;
  @NumberSetting(1, 86_400) RATE_LIMIT_WINDOW_S = 60;
  /** Requests that each route of pricing has under way at once, half of them exports of one project; more are answered 503. */
  @NumberSetting(1, 1_000_000) PRICING_IN_FLIGHT = 50;
  /** Bulks that one key, and all keys together, may have under way, one project alone half; more are answered 429 and 503. */
  @NumberSetting(1, 1_000) BULKS_PER_KEY = 4;
  @NumberSetting(1, 10_000) BULKS = 64;
  /** A line waits so long for a service that is away, then it gets its 503. */
  @NumberSetting(1, 3_600) BULK_PATIENCE_S = 15;
  /** A bulk in which nothing has come or gone for so long is cut off; if not longer than its patience, while it waits. */
  @NumberSetting(1, 3_600) BULK_IDLE_S = 30;
  /** Streams that are open at once, half of them for one project alone; more are answered 503. */
  @NumberSetting(1, 1_000_000) STREAMS_MAX = 2_000;
  /** Streams that one key holds open at once; more are answered 429. */
  @NumberSetting(1, 1_000_000) STREAMS_PER_KEY = 10;
  /** What may wait for the reader of a stream; one that falls further behind is told so, and its stream ends. */
  @NumberSetting(1, 1_048_576) STREAM_BUFFER_KIB = 1024;
  /** How often a stream says that it is alive. */
  @NumberSetting(1, 3_600) STREAM_PING_S = 15;
  /** With its event loop so far behind, in each of the last two seconds on average, the gateway answers 503 at once. */
  @NumberSetting(1, 60_000) EVENT_LOOP_DELAY_MS = 1_000;
  /** Addresses of proxies whose `X-Forwarded-For` is believed, separated by commas. */
  @TextSetting(0) TRUSTED_PROXIES = '';
}
