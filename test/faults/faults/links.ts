import { type AppName } from '../../../start/app-schema.js';
import { type Fault } from '../fault.js';
import { DIRECTIONS, type Link } from '#testing';
import { needsNats, WRITER, type Write } from '../write.js';

/** A fault of a cable: how it begins, how it ends, and whether anything gets through meanwhile. */
interface LinkFault {
  begin(link: Link): void;
  end(link: Link): void;
  isOpen: boolean;
}

const heal = (link: Link): void => link.heal();
const forget = (link: Link): void => link.forget();

export const LINK_FAULTS = {
  'is slow by 200 ms': { begin: (link) => link.delay(200), end: heal, isOpen: true },
  resets: { begin: (link) => link.cut(), end: heal, isOpen: false },
  'is a black hole': { begin: (link) => link.silence(DIRECTIONS), end: heal, isOpen: false },
  'is a black hole and forgets its connections': {
    begin: (link) => link.silence(DIRECTIONS),
    end: forget,
    isOpen: false,
  },
  'carries requests only': { begin: (link) => link.silence(['down']), end: heal, isOpen: false },
  'carries answers only': { begin: (link) => link.silence(['up']), end: forget, isOpen: false },
} satisfies Record<string, LinkFault>;

export type LinkFaultName = keyof typeof LINK_FAULTS;

export function linkFault(
  app: AppName,
  server: 'postgres' | 'nats',
  name: LinkFaultName,
  hold_ms: number,
): Fault {
  const fault: LinkFault = LINK_FAULTS[name];
  return {
    row: 'link faults',
    name: `${app}–${server} ${name} for ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      const link = rig.links[app][server];
      fault.begin(link);
      return { end: () => fault.end(link), prevents: fault.isOpen ? undefined : cutOff(app, server) };
    },
  };
}

/** Which writes need the cable. For those of others the gateway may go on for the length of a lease without its database. */
function cutOff(app: AppName, server: 'postgres' | 'nats'): (write: Write) => boolean {
  return app === 'gateway' && server === 'nats' ? needsNats : ({ kind }) => WRITER[kind] === app;
}
