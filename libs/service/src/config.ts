import { applyDecorators } from '@nestjs/common';
import { ValidateBy, ValidateIf } from 'class-validator';
import { validatorOf } from '#contracts';

type Shape = 'text' | 'whole number';

const shapes = new WeakMap<object, Map<string, Shape>>();

function setting(
  shape: Shape,
  detail: string,
  holds: (value: never) => boolean,
  optional = false,
): PropertyDecorator {
  return applyDecorators(
    (target: object, name: string | symbol) => {
      const known = shapes.get(target.constructor) ?? new Map<string, Shape>();
      shapes.set(target.constructor, known.set(String(name), shape));
    },
    ...(optional ? [ValidateIf((_, value) => value !== undefined)] : []),
    ValidateBy({
      name: 'setting',
      validator: { validate: (value) => holds(value as never), defaultMessage: () => detail },
    }),
  );
}

/** What examples and templates put where a secret belongs. */
const PLACEHOLDER =
  /change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|it)|placeholder|your[-_ ].*(secret|password|key)|^<.*>$|^(?<one>.)\k<one>{3,}$|^(password|secret|todo)$/i;

const isPlaceholder = (secret: string): boolean => PLACEHOLDER.test(secret);

/** Of a URL's user and password; one that cannot be decoded is taken as it is. */
function hasPlaceholder({ username, password }: URL): boolean {
  return [username, password].some((part) => {
    try {
      return part !== '' && isPlaceholder(decodeURIComponent(part));
    } catch {
      return isPlaceholder(part);
    }
  });
}

/**
 * A setting that is a URL with one of these schemes; several, separated by commas, where `many`. A placeholder for a
 * user or a password is refused.
 */
export function UrlSetting(schemes: string[], { many = false, optional = false } = {}): PropertyDecorator {
  const holds = (value?: string): boolean => {
    const urls = many ? String(value).split(',') : [String(value)];
    return urls.every((url) => URL.canParse(url) && schemes.includes(new URL(url).protocol.slice(0, -1)));
  };
  const isFilledIn = (value?: string): boolean =>
    !holds(value) || !(many ? value!.split(',') : [value!]).some((url) => hasPlaceholder(new URL(url)));
  return applyDecorators(
    setting('text', `must be a URL (${schemes.join(', ')})`, holds, optional),
    setting('text', 'must not hold a placeholder', isFilledIn, optional),
  );
}

/** A setting that is a whole number from `min` to `max`. */
export function NumberSetting(min: number, max: number, { optional = false } = {}): PropertyDecorator {
  const holds = (value: number): boolean => Number.isSafeInteger(value) && value >= min && value <= max;
  return setting('whole number', `must be a whole number from ${min} to ${max}`, holds, optional);
}

/** A setting that is text of at least `min` characters. */
export function TextSetting(min = 1, { optional = false } = {}): PropertyDecorator {
  const holds = (value?: string): boolean => value !== undefined && value.length >= min;
  return setting('text', `must be text of at least ${min} characters`, holds, optional);
}

/** A setting that is text of at least `min` characters which nobody may know; a placeholder (`change-me`) is refused. */
export function SecretSetting(min: number, { optional = false } = {}): PropertyDecorator {
  const isFilledIn = (value?: string): boolean => value === undefined || !isPlaceholder(value);
  return applyDecorators(
    TextSetting(min, { optional }),
    setting('text', 'must not be a placeholder', isFilledIn, optional),
  );
}

/** A secret that is sent in a header, of which only visible ASCII characters arrive as they are. */
export function KeySetting(min: number, { optional = false } = {}): PropertyDecorator {
  const holds = (value?: string): boolean => value === undefined || /^[!-~]*$/.test(value);
  return applyDecorators(
    SecretSetting(min, { optional }),
    setting('text', 'must be of visible ASCII characters only', holds, optional),
  );
}

/** A setting that is one of these words. */
export function WordSetting(words: readonly string[]): PropertyDecorator {
  return setting('text', `must be one of ${words.join(', ')}`, (value: string) => words.includes(value));
}

/** A setting that says from which level on the log tells. */
export function LogLevelSetting(): PropertyDecorator {
  return WordSetting(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']);
}

/** Names of the settings that a configuration class declares, as they stand in the environment. */
export function settingsOf(type: new () => object): string[] {
  const names: string[] = [];
  for (
    let current: object = type;
    current !== Function.prototype;
    current = Object.getPrototypeOf(current) as object
  ) {
    names.unshift(...(shapes.get(current)?.keys() ?? []));
  }
  return names;
}

function shapeOf(type: object, name: string): Shape {
  return shapes.get(type)?.get(name) ?? shapeOf(Object.getPrototypeOf(type) as object, name);
}

/**
 * An app's configuration from the environment: properties are named like their variables, defaults are the
 * class's own. @throws an Error that lists every problem, a line each
 */
export function loadConfig<T extends object>(type: new () => T, environment = process.env): T {
  const { config, problems } = readConfig(type, environment);
  refuse(problems);
  return config;
}

/**
 * The same where other configurations are loaded later from the same environment, but for settings that are `given` to
 * them then: what is wrong with any of them is listed now.
 */
export function loadConfigBefore<T extends object>(
  type: new () => T,
  later: (new () => object)[],
  given: string[],
  environment = process.env,
): T {
  const { config, problems } = readConfig(type, environment);
  for (const { name, detail } of later.flatMap((other) => readConfig(other, environment).problems))
    if (!given.includes(name)) problems.push({ name, detail });
  refuse(problems);
  return config;
}

interface Problem {
  name: string;
  detail: string;
}

function refuse(problems: Problem[]): void {
  if (problems.length === 0) return;
  const lines = new Set(problems.map(({ name, detail }) => `  ${name} ${detail}`));
  throw new Error(`The configuration is not usable:\n${[...lines].join('\n')}`);
}

function readConfig<T extends object>(
  type: new () => T,
  environment: NodeJS.ProcessEnv,
): { config: T; problems: Problem[] } {
  const config = new type() as Record<string, unknown>;
  const names = settingsOf(type);
  for (const name of names) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    config[name] = shapeOf(type, name) === 'whole number' ? Number(text) : text;
  }
  const problems = validatorOf(type)(Object.fromEntries(names.map((name) => [name, config[name]])));
  return {
    config: config as T,
    problems: problems.map(({ pointer, detail }) => ({ name: pointer.slice(1), detail })),
  };
}

/** What every app is told. */
export class AppConfig {
  @UrlSetting(['postgres', 'postgresql']) DATABASE_URL!: string;
  @UrlSetting(['nats', 'tls'], { many: true }) NATS_URL!: string;
  /** Private listener: health and metrics. */
  @NumberSetting(0, 65535) HEALTH_PORT = 8081;
  /** Servers of the NATS cluster that hold each message of the feed. */
  @NumberSetting(1, 5) FEED_REPLICAS = 1;
  /** The most that the feed's stream takes on NATS' disk; its oldest entries make way. */
  @NumberSetting(1, 1_048_576) FEED_MAX_MIB = 1024;
  @LogLevelSetting() LOG_LEVEL = 'info';
  /** Base URL of an OpenTelemetry collector (OTLP over HTTP); nothing is traced without one. */
  @UrlSetting(['http', 'https'], { optional: true }) OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  /** Of a hundred traces that begin here, so many are kept. */
  @NumberSetting(0, 100) TRACES_PERCENT = 100;

  /** Whether the log tells of each request and each call. */
  get isTalkative(): boolean {
    return ['debug', 'trace'].includes(this.LOG_LEVEL);
  }
}

/** What a migration is told: the database as the role that owns the schema. */
export class MigrationConfig {
  @UrlSetting(['postgres', 'postgresql']) DATABASE_URL!: string;
}
