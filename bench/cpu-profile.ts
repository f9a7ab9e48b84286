import { setTimeout } from 'node:timers/promises';

/** What V8's profiler says, of the Chrome DevTools Protocol (`Profiler.Profile`). */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  /** The node that was running at each look. */
  samples: number[];
  /** Microseconds since the look before. */
  timeDeltas: number[];
}

const INSPECTOR = 'http://127.0.0.1:9229/json/list';
const OPENS_WITHIN_MS = 5_000;
const LOOK_EVERY_US = 200;

/** V8's profiler in another process of Node, as it runs, without a flag of its own. One process at a time: they share a port. */
export class Profiler {
  private constructor(private readonly inspector: Inspector) {}

  static async attach(pid: number): Promise<Profiler> {
    process.kill(pid, 'SIGUSR1');
    const inspector = await Inspector.open();
    await inspector.ask('Profiler.enable');
    await inspector.ask('Profiler.setSamplingInterval', { interval: LOOK_EVERY_US });
    return new Profiler(inspector);
  }

  /** What the process does while `work` runs. */
  async during(work: () => Promise<void>): Promise<CpuProfile> {
    await this.inspector.ask('Profiler.start');
    await work();
    return ((await this.inspector.ask('Profiler.stop')) as { profile: CpuProfile }).profile;
  }

  letGo(): void {
    this.inspector.close();
  }
}

/** Seconds of each area of the code in which it was itself at work, the largest first. */
export function secondsByArea({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const areas = new Map(nodes.map(({ id, callFrame }) => [id, areaOf(callFrame)]));
  const seconds = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const area = areas.get(id)!;
    if (area === IDLE) continue;
    seconds.set(area, (seconds.get(area) ?? 0) + timeDeltas[index]! / 1e6);
  }
  return new Map([...seconds].sort(([, one], [, other]) => other - one));
}

const IDLE = '(idle)';
const OF_V8: Record<string, string> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'native code, system calls among it',
};

function areaOf({ functionName, url }: { functionName: string; url: string }): string {
  const [, packageName] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (packageName !== undefined) return packageName;
  const [, part] = /\/dist\/((?:libs|apps)\/[^/]+)/.exec(url) ?? [];
  if (part !== undefined) return part;
  const [, builtIn] = /^node:(?:internal\/)?_?([a-z]+)/.exec(url) ?? [];
  if (builtIn !== undefined) return `node:${builtIn}`;
  return functionName === IDLE ? IDLE : (OF_V8[functionName] ?? 'JavaScript’s own functions');
}

/** A debugger’s connection to a process. */
class Inspector {
  private asked = 0;
  private readonly answers = new Map<number, (result: unknown) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(data as string) as { id?: number; result?: unknown };
      if (id !== undefined) this.answers.get(id)?.(result);
    });
  }

  static async open(): Promise<Inspector> {
    const socket = new WebSocket(await addressOf());
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    return new Inspector(socket);
  }

  ask(method: string, params = {}): Promise<unknown> {
    const id = ++this.asked;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.socket.close();
  }
}

async function addressOf(): Promise<string> {
  for (const deadline = Date.now() + OPENS_WITHIN_MS; ;) {
    try {
      const [target] = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string }[];
      return target!.webSocketDebuggerUrl;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await setTimeout(50);
    }
  }
}
