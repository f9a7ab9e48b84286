import { type FastifyInstance } from 'fastify';

interface Route {
  matches: RegExp;
  methods: Set<string>;
}

/** Which methods a path knows, for the `Allow` of a 405 (RFC 9110, section 15.5.6). */
export class AllowedMethods {
  private readonly routes = new Map<string, Route>();

  /** Notes every route that is added from now on. */
  constructor(server: FastifyInstance) {
    server.addHook('onRoute', ({ url, method }) => {
      const pattern = url
        .split('/')
        .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll('.', '\\.')));
      const route = this.routes.get(url) ?? {
        matches: new RegExp(`^${pattern.join('/')}$`),
        methods: new Set(),
      };
      for (const one of [method].flat()) route.methods.add(one);
      this.routes.set(url, route);
    });
  }

  /** Empty for a path that nothing answers. */
  of(path: string): string[] {
    const matching = [...this.routes.values()].filter(({ matches }) => matches.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))];
  }
}
