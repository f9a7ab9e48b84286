import { type Committed } from '../feed-record.js';
import { anEvidence } from './builders.js';
import { untold } from './feeds.js';

const row = (number: number): Committed => ({
  id: `event ${number}`,
  project_id: 'p',
  position: [String(number), `event ${number}`],
  subject: '',
  version: null,
});

describe('a feed', () => {
  it('has every row of the run, also those from before JetStream was wiped', () => {
    const rows = [row(1), row(2), row(3)];
    const found = (...numbers: number[]): string[] =>
      untold(
        anEvidence({
          feeds: [
            { kind: 'event', rows, published: numbers.map((number) => row(number).id) },
            { kind: 'audit', rows: [], published: [] },
          ],
        }),
      );
    expect(found(1, 2, 3)).toEqual([]);
    expect(found(2, 3)).toEqual(['the feed of event lacks event 1']);
  });
});
