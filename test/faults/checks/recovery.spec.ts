import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHistory } from '../history.js';
import { Journal } from '../journal.js';
import { anEvidence, answered, aWrite } from './builders.js';
import { givenUp } from './recovery.js';

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
