import { type Random } from '../../bench/random.js';
import { type Project } from './project.js';
import { KINDS, type Kind, type Write } from './write.js';

type Content = Pick<Write, 'trace' | 'subject' | 'method' | 'path' | 'body'> & { key: string };

/** A write that is ready to be sent: with the key of who sends it. */
export interface KeyedWrite {
  write: Write;
  key: string;
}

/** What devices say and people do; devices themselves are changed once in so many writes. */
const SAID = KINDS.filter((kind) => kind !== 'device');
const DEVICE_CHANGE = 21;

/** Writes of all kinds and projects, the same for the same seed; each differs from every other. */
export class WriteMix {
  private count = 0;

  constructor(
    private readonly random: Random,
    private readonly projects: readonly Project[],
  ) {}

  next(): KeyedWrite {
    const number = (this.count += 1);
    const kind = number % DEVICE_CHANGE === 0 ? 'device' : SAID[number % SAID.length]!;
    const project = this.random.pick(this.projects);
    const { key, ...content } = this.contentOf(kind, project, number);
    return {
      write: {
        number,
        kind,
        project_id: project.id,
        idempotency_key: `${project.mark}-${number}`,
        ...content,
      },
      key,
    };
  }

  private contentOf(kind: Kind, project: Project, number: number): Content {
    const { mark, admin_key } = project;
    const device = this.random.pick(project.devices);
    const own = `/v1/devices/${encodeURIComponent(device.id)}`;
    // Half of what a device could say itself is said for it by its admin.
    const key = this.random.below(2) === 0 ? device.key : admin_key;
    const trace = `${mark}-w${number}`;
    switch (kind) {
      case 'state':
        return {
          key,
          trace,
          subject: device.id,
          method: 'PATCH',
          path: `${own}/state`,
          body: { data: { write: trace } },
        };
      case 'event': {
        const body = {
          component: 'pump',
          environment: 'faults',
          email: `${mark}@example.com`,
          message: trace,
          data: { number },
          device_id: device.id,
        };
        return { key, trace, subject: '', method: 'POST', path: '/v1/events', body };
      }
      case 'message': {
        const body = { recipient: this.random.pick(project.devices).id, message: trace };
        return this.random.below(2) === 0
          ? { key, trace, subject: '', method: 'POST', path: '/v1/messages', body }
          : { key, trace, subject: '', method: 'PUT', path: `/v1/messages/${this.random.uuid()}`, body };
      }
      case 'price': {
        const product_id = this.random.pick(project.products);
        const price = `${number}.50`;
        return {
          key: admin_key,
          trace: price,
          subject: product_id,
          method: 'POST',
          path: '/v1/prices',
          body: { product_id, price },
        };
      }
      case 'firmware': {
        const firmware = `1.${number}.0`;
        return {
          key: device.key,
          trace: firmware,
          subject: device.id,
          method: 'POST',
          path: `${own}/firmware`,
          body: { firmware, status: 'installed' },
        };
      }
      case 'device':
        return { key: admin_key, trace, subject: '', method: 'PATCH', path: own, body: { name: trace } };
    }
  }
}
