import fc from 'fast-check';
import {
  AppConfig,
  KeySetting,
  loadConfig,
  loadConfigBefore,
  NumberSetting,
  SecretSetting,
  settingsOf,
  TextSetting,
  UrlSetting,
  WordSetting,
} from './config.js';

class OvenConfig extends AppConfig {
  @NumberSetting(1, 300) DEGREES = 180;
  @NumberSetting(1, 10, { optional: true }) TRAYS?: number;
  @TextSetting(8) SECRET!: string;
  @TextSetting(1, { optional: true }) NOTE?: string;
  @SecretSetting(8, { optional: true }) CODE?: string;
  @WordSetting(['gas', 'wood']) FUEL = 'gas';
  @UrlSetting(['http', 'https'], { optional: true }) BELL?: string;
  @KeySetting(8, { optional: true }) DOOR_KEY?: string;
}

class BakeryConfig {
  @NumberSetting(1, 100) BAKERS = 2;
  @NumberSetting(1, 300) DEGREES = 180;
}

const ENOUGH = {
  DATABASE_URL: 'postgres://oven:pw@127.0.0.1:5432/db',
  NATS_URL: 'nats://127.0.0.1:4222',
  SECRET: 'long enough',
};

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(OvenConfig, environment);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').slice(1);
  }
}

describe('the configuration of an app', () => {
  it('needs no more than what has no default', () => {
    expect(loadConfig(OvenConfig, ENOUGH)).toEqual({
      ...ENOUGH,
      HEALTH_PORT: 8081,
      FEED_REPLICAS: 1,
      FEED_MAX_MIB: 1024,
      LOG_LEVEL: 'info',
      TRACES_PERCENT: 100,
      DEGREES: 180,
      FUEL: 'gas',
    });
  });

  it('is what the environment says, numbers as numbers', () => {
    const environment = { ...ENOUGH, DEGREES: '250', TRAYS: '2', FUEL: 'wood', NOTE: '7', HEALTH_PORT: '0' };
    expect(loadConfig(OvenConfig, environment)).toMatchObject({
      DEGREES: 250,
      TRAYS: 2,
      FUEL: 'wood',
      NOTE: '7',
      HEALTH_PORT: 0,
    });
  });

  it('takes an empty variable for one that is not there', () => {
    expect(loadConfig(OvenConfig, { ...ENOUGH, DEGREES: '', TRAYS: '' })).toMatchObject({ DEGREES: 180 });
    expect(problemsOf({ ...ENOUGH, SECRET: '' })).toHaveLength(1);
  });

  it('does not take what it did not ask for', () => {
    expect(loadConfig(OvenConfig, { ...ENOUGH, PATH: '/bin', degrees: '9' })).not.toMatchObject({
      PATH: '/bin',
    });
  });

  it('lists every problem at once, a line each', () => {
    const problems = problemsOf({
      NATS_URL: 'http://x',
      DEGREES: '301',
      TRAYS: 'two',
      SECRET: 'short',
      FUEL: 'coal',
    });
    expect(problems.sort()).toEqual([
      '  DATABASE_URL is required, and must be a URL (postgres, postgresql)',
      '  DEGREES must be a whole number from 1 to 300',
      '  FUEL must be one of gas, wood',
      '  NATS_URL must be a URL (nats, tls)',
      '  SECRET must be text of at least 8 characters',
      '  TRAYS must be a whole number from 1 to 10',
    ]);
  });

  it('that others load later is checked with theirs, but for what they are given', () => {
    const load = (environment: Record<string, string>): BakeryConfig =>
      loadConfigBefore(BakeryConfig, [OvenConfig], ['DATABASE_URL', 'NATS_URL', 'SECRET'], environment);
    expect(load({ BAKERS: '3', SECRET: 'short' })).toEqual({ BAKERS: 3, DEGREES: 180 });
    expect(() => load({ BAKERS: '0', DEGREES: '301', TRAYS: 'two', SECRET: 'short' })).toThrow(
      /^The configuration is not usable:\n {2}BAKERS .+\n {2}DEGREES .+\n {2}TRAYS .+$/,
    );
  });

  it.each(['the key of the door', 'schlüssel-der-tür', 'key-of-the-door\t'])(
    'refuses the key %j, which no header can carry',
    (DOOR_KEY) => {
      expect(problemsOf({ ...ENOUGH, DOOR_KEY })).toEqual([
        '  DOOR_KEY must be of visible ASCII characters only',
      ]);
      expect(problemsOf({ ...ENOUGH, DOOR_KEY: 'key-of~the~door!' })).toEqual([]);
    },
  );

  it.each([
    ['DEGREES', '1.5'],
    ['DEGREES', '0'],
    ['DEGREES', '12 '.repeat(2)],
    ['HEALTH_PORT', '65536'],
    ['HEALTH_PORT', '-1'],
    ['DATABASE_URL', 'mysql://127.0.0.1/db'],
    ['DATABASE_URL', '127.0.0.1:5432'],
    ['NATS_URL', 'nats://a:4222,http://b'],
    ['BELL', 'nowhere'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s', (name, value) => {
    expect(problemsOf({ ...ENOUGH, [name]: value })).toEqual([expect.stringContaining(`  ${name} must be`)]);
  });

  it.each([
    ['CODE', 'change-me-change-me'],
    ['CODE', '<the code of the door>'],
    ['CODE', 'xxxxxxxxxxxx'],
    ['CODE', 'your-secret-key'],
    ['DATABASE_URL', 'postgres://oven:CHANGEME@127.0.0.1/db'],
    ['DATABASE_URL', 'postgres://oven:%3Cpassword%3E@127.0.0.1/db'],
    ['NATS_URL', 'nats://a:replace_me@n1,nats://a:replace_me@n2'],
  ])('refuses the placeholder in %s=%s', (name, value) => {
    expect(problemsOf({ ...ENOUGH, [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^  ${name} must not (be|hold) a placeholder$`)),
    ]);
  });

  it('takes any secret that is random', () => {
    const random = fc.uint8Array({ minLength: 24, maxLength: 24 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(random, fc.constantFrom('hex' as const, 'base64url' as const), (bytes, encoding) => {
        fc.pre(new Set(bytes).size > 8);
        const secret = bytes.toString(encoding);
        const DATABASE_URL = `postgres://oven:${secret}@127.0.0.1/db`;
        expect(problemsOf({ ...ENOUGH, CODE: secret, DATABASE_URL })).toEqual([]);
      }),
    );
  });

  it('takes several servers where it says so', () => {
    const NATS_URL = 'nats://a:4222,tls://b:4222';
    expect(loadConfig(OvenConfig, { ...ENOUGH, NATS_URL })).toMatchObject({ NATS_URL });
  });

  it('never shows a secret in its problems', () => {
    expect(problemsOf({ ...ENOUGH, SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it('names its settings, those of every app first', () => {
    expect(settingsOf(OvenConfig)).toEqual([
      ...settingsOf(AppConfig),
      'DEGREES',
      'TRAYS',
      'SECRET',
      'NOTE',
      'CODE',
      'FUEL',
      'BELL',
      'DOOR_KEY',
    ]);
    expect(settingsOf(AppConfig)).toEqual([
      'DATABASE_URL',
      'NATS_URL',
      'HEALTH_PORT',
      'FEED_REPLICAS',
      'FEED_MAX_MIB',
      'LOG_LEVEL',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'TRACES_PERCENT',
    ]);
  });
});
