import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHistory } from '../history.js';
import { Journal } from '../journal.js';
import { aFault, anEvidence, answered, aWrite } from './builders.js';
import { givenUp, slow, unrecovered } from './recovery.js';

describe('a write', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'flotilla-journal-'))));
  afterEach(() => rm(directory, { recursive: true }));

  it('is acknowledged in the end, and never given up', async () => {
    const journal = new Journal(join(directory, 'journal.ndjson'));
    const { write } = aWrite(answered(503)).sent[0]!;
    journal.note({ at: 1, what: 'invoked', write });
    journal.note({ at: 2, what: 'invoked', write: { ...write, number: 2, trace: 'w2' } });
    journal.note({ at: 90_003, what: 'given_up', number: 2 });
    await journal.close();
    const history = await readHistory(journal.file);
    expect(givenUp(anEvidence({ history }))).toEqual(['event w2 of p was given up']);
  });
});

describe('a fault', () => {
  const found = (parts: Parameters<typeof aFault>[0]): [never: string[], late: string[]] => {
    const evidence = anEvidence({ struck: [aFault(parts)] });
    return [unrecovered(evidence), slow(evidence)];
  };

  it('is over when writes are acknowledged again, and the feeds have what was committed before', () => {
    expect(found({})).toEqual([[], []]);
    expect(found({ recovered_ms: undefined, caught_up_ms: undefined })).toEqual([
      ['no recovery from: a fault'],
      [],
    ]);
    expect(found({ caught_up_ms: undefined })).toEqual([['the feeds never caught up after: a fault'], []]);
  });

  it('is over within 30 s', () => {
    expect(found({ recovered_ms: 31_000, caught_up_ms: 32_000 })).toEqual([[], ['32000 ms after: a fault']]);
    expect(found({ recovered_ms: 600, caught_up_ms: 180_000 })).toEqual([[], ['180000 ms after: a fault']]);
    expect(found({ recovered_ms: 31_000, caught_up_ms: undefined })[1]).toEqual(['31000 ms after: a fault']);
  });
});
