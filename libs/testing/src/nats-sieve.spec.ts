import fc from 'fast-check';
import { natsSieve } from './nats-sieve.js';

const ACK = '$JS.ACK.feed_audit.activity-events.1.2.3.4.5';
const HEADERS = 'NATS/1.0\r\nTrace: 1\r\n\r\n';

const pub = (subject: string, payload: string): string =>
  `PUB ${subject} ${payload.length}\r\n${payload}\r\n`;
const hpub = (subject: string, payload: string): string =>
  `HPUB ${subject} ${HEADERS.length} ${HEADERS.length + payload.length}\r\n${HEADERS}${payload}\r\n`;

const SAID = [
  'CONNECT {"verbose":false}\r\n',
  'SUB _INBOX.* 1\r\n',
  pub('firmware.record _INBOX.1', 'PUB a 1\r\nb'),
  hpub(`${ACK} _INBOX.2`, '+ACK'),
  hpub('feed.audit _INBOX.3', '1\r\n2'),
  pub(ACK, '+ACK'),
  pub('empty', ''),
  'PING\r\n',
];

describe('what a client of NATS says', () => {
  const whatPasses = (cuts: number[]): string => {
    const sieve = natsSieve((subject) => subject.startsWith('$JS.ACK.'));
    const said = SAID.join('');
    const places = [0, ...cuts.toSorted((one, other) => one - other), said.length];
    const chunks = places.slice(1).map((end, index) => Buffer.from(said.slice(places[index], end)));
    return chunks.map((chunk) => sieve(chunk).toString()).join('');
  };

  it('passes without the messages that are lost, however it is cut into pieces', () => {
    const expected = SAID.filter((said) => !said.includes(ACK)).join('');
    const cut = fc.nat({ max: SAID.join('').length });
    fc.assert(fc.property(fc.array(cut, { maxLength: 40 }), (cuts) => whatPasses(cuts) === expected));
  });
});
