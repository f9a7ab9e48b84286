import { aFault, anEvidence, answered, aRead, aWrite, cut } from './builders.js';
import { disturbed } from './harmless.js';

describe('a rolling restart', () => {
  it.each([
    ['write', aWrite, 'event w1'],
    ['read', aRead, 'GET /v1/events of p'],
  ])('fails no %s that is sent while it lasts', (_, history, request) => {
    const struck = [aFault({ isHarmless: true })];
    const found = (ended: Parameters<typeof history>[0]): string[] =>
      disturbed(anEvidence({ struck, history: history(ended) }));
    expect(found(answered(200))).toEqual([]);
    expect(found(answered(503))).toEqual([`${request}: 503 {} after 10 ms`]);
    expect(found(cut('ECONNRESET'))).toEqual([`${request}: ECONNRESET after 10 ms`]);
    expect(found(answered(503, { at: 2_100 }))).toEqual([]);
  });
});
