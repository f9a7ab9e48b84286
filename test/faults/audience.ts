import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '#testing';
import { EventStream, Refusal, type SentEvent } from '../event-stream.js';
import { HttpClient } from '../http-client.js';
import { type Ingress } from './ingress.js';
import { type Journal } from './journal.js';
import { type Project } from './project.js';

const COME_BACK_MS = 200;

/** Reads the stream of each project, at any gateway, and goes on behind the last id whenever it is cut off. */
export class Audience {
  /** Ids of the entries that came so far. */
  readonly heard = new Set<string>();
  private readonly stopping = new AbortController();
  private readonly open = new Map<string, EventStream>();
  private readonly listening: Promise<void>[];

  private constructor(
    private readonly ingress: Ingress,
    private readonly journal: Journal,
    projects: readonly Project[],
  ) {
    this.listening = projects.map((project) => this.listen(project));
  }

  /** Once the streams of all projects are open: from now on they are to miss nothing. */
  static async gather(ingress: Ingress, journal: Journal, projects: readonly Project[]): Promise<Audience> {
    const audience = new Audience(ingress, journal, projects);
    await eventually(() => projects.every(({ id }) => audience.open.get(id)?.first_id !== undefined));
    for (const { id: project_id } of projects) {
      const id = audience.open.get(project_id)!.first_id!;
      journal.note({ at: performance.now(), what: 'stream_begun', project_id, id });
    }
    return audience;
  }

  isOf(project_id: string): boolean {
    return this.open.has(project_id);
  }

  async leave(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.open.values()].map((stream) => stream.close()));
    await Promise.all(this.listening);
  }

  private hasLeft(): boolean {
    return this.stopping.signal.aborted;
  }

  private async listen({ id: project_id, admin_key }: Project): Promise<void> {
    let last_id = '';
    while (!this.hasLeft()) {
      const [url = ''] = this.ingress.next();
      try {
        const client = new HttpClient(url, admin_key);
        const stream = await EventStream.open(client, '/v1/stream', last_id, (event) =>
          this.hear(project_id, event),
        );
        this.open.set(project_id, stream);
        if (this.hasLeft()) await stream.close();
        await stream.ended;
        last_id = stream.last_id;
      } catch (error) {
        // Any other error is that of a connection that could not be made, or broke.
        if (error instanceof Refusal) this.refused(project_id, error.status, JSON.stringify(error.body));
      }
      await pause(COME_BACK_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private hear(project_id: string, { event, data }: SentEvent): void {
    if (event === 'problem') {
      const { status } = data as { status: number };
      this.refused(project_id, status, JSON.stringify(data));
      return;
    }
    const { id } = data as { id: string };
    const body = JSON.stringify(data);
    this.heard.add(id);
    this.journal.note({ at: performance.now(), what: 'streamed', project_id, kind: event, id, body });
  }

  private refused(project_id: string, status: number, body: string): void {
    this.journal.note({ at: performance.now(), what: 'stream_refused', project_id, status, body });
  }
}
