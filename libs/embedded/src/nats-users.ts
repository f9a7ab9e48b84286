/** A program on NATS, and all that it may do there. A subject to subscribe to may name the one queue group it may join. */
export interface NatsUser {
  name: string;
  publish: string[];
  subscribe: string[];
  /** Beats `publish`. */
  never_publish?: string[];
  /** May send to the reply subject of what it received, and nowhere else, for a while. */
  answers?: boolean;
}

/** Each service: the feed that it owns, and the feeds that it consumes under its own name. */
const SERVICES: Record<string, { feed: string; consumes?: string[] }> = {
  'activity-events': { feed: 'event', consumes: ['audit'] },
  'device-state': { feed: 'state' },
  firmware: { feed: 'firmware' },
  messages: { feed: 'message' },
  pricing: { feed: 'price' },
};

const FEEDS = [...Object.values(SERVICES).map(({ feed }) => feed), 'audit'];

/** A frame of many calls may be answered call by call; no call takes longer than a request may. */
const ANSWERS = 'allow_responses: { max: 4096, expires: "30s" }';

/** Everyone may do anything: for benchmarks and for tests of the bus itself. */
export const ANYTHING: NatsUser = { name: 'anything', publish: ['>'], subscribe: ['>'] };

/** Who there is on Flotilla's NATS. The one place where rights are given: each nats.conf is written from it. */
export const NATS_USERS: NatsUser[] = [
  {
    name: 'gateway',
    // It alone calls, and answers nobody.
    publish: [
      ...Object.keys(SERVICES).map((service) => `${service}.*`),
      ...ownFeed('audit'),
      ...FEEDS.flatMap(following),
    ],
    never_publish: consumers().flatMap(([feed, name]) => [
      `$JS.API.CONSUMER.*.feed_${feed}.${name}`,
      `$JS.API.CONSUMER.*.feed_${feed}.${name}.>`,
      `$JS.API.CONSUMER.*.*.feed_${feed}.${name}`,
    ]),
    subscribe: [inbox('gateway')],
  },
  ...Object.entries(SERVICES).map(([name, { feed, consumes = [] }]) => ({
    name,
    publish: [...ownFeed(feed), ...consumes.flatMap((other) => consuming(other, name))],
    subscribe: [`${name}.* ${name}`, inbox(name)],
    answers: true,
  })),
];

/** The `users` of a nats.conf. `secretOf` says how each proves who it is, e.g. `password: "…"` or `nkey: U…`. */
export function natsUsers(users: NatsUser[], secretOf: (name: string) => string): string {
  return `users: [\n${users.map((user) => block(user, secretOf(user.name))).join('\n')}\n]\n`;
}

function block({ publish, subscribe, never_publish = [], answers, name }: NatsUser, secret: string): string {
  const list = (subjects: string[]): string =>
    `[\n${subjects.map((subject) => `          ${JSON.stringify(subject)}`).join('\n')}\n        ]`;
  const deny = never_publish.length > 0 ? `\n        deny: ${list(never_publish)}` : '';
  return `  # ${name}
  {
    ${secret}
    permissions: {
      publish: {
        allow: ${list(publish)}${deny}
      }
      subscribe: {
        allow: ${list(subscribe)}
      }${answers ? `\n      ${ANSWERS}` : ''}
    }
  }`;
}

function consumers(): [feed: string, name: string][] {
  return Object.entries(SERVICES).flatMap(([name, { consumes = [] }]) =>
    consumes.map((feed): [string, string] => [feed, name]),
  );
}

/** Replies to what it asks, JetStream's among them. */
function inbox(name: string): string {
  return `_INBOX_${name}.>`;
}

/** To keep a stream, and to make it anew when it stores nothing any more. */
function ownStream(stream: string): string[] {
  return ['CREATE', 'UPDATE', 'INFO', 'DELETE', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);
}

function ownFeed(feed: string): string[] {
  return [`feed.${feed}`, ...ownStream(`feed_${feed}`), `$JS.API.STREAM.PURGE.feed_${feed}`];
}

/** To read a feed from here on, with a consumer that is gone when nobody reads. */
function following(feed: string): string[] {
  const stream = `feed_${feed}`;
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    ...['INFO', 'DELETE', 'MSG.NEXT'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.*`),
  ];
}

/** To read a feed with the durable consumer of this name, and to set aside what cannot be digested. */
function consuming(feed: string, name: string): string[] {
  const stream = `feed_${feed}`;
  return [
    ...['CREATE', 'INFO', 'DELETE', 'MSG.NEXT'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.${name}`),
    `$JS.ACK.${stream}.${name}.>`,
    ...[`dead.${name}`, ...ownStream(`dead_${name}`)],
  ];
}
