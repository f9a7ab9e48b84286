import { aFault, anEvidence, answered, aRead, aWrite, cut } from './builders.js';
import { late, silent, unexplained } from './refusals.js';

describe.each([
  ['a write', aWrite, 'event w1'],
  ['a read', aRead, 'GET /v1/events of p'],
])('%s', (_, history, request) => {
  it('may fail with 503 and Retry-After, and with nothing else', () => {
    const found = (ended: Parameters<typeof history>[0]): string[] =>
      unexplained(anEvidence({ history: history(ended) }));
    expect(found(answered(200))).toEqual([]);
    expect(found(answered(503))).toEqual([]);
    expect(found(answered(500))).toEqual([`${request}: 500 {} after 10 ms`]);
    expect(found(answered(503, { retry_after: null }))).toEqual([`${request}: 503 {} after 10 ms`]);
  });

  it('may be cut by a gateway that dies, until it is there again, or that stands still, and by nothing else', () => {
    const found = (at: number, ...struck: ReturnType<typeof aFault>[]): string[] =>
      unexplained(anEvidence({ history: history(cut('ECONNRESET', { at })), struck }));
    const violation = [`${request}: ECONNRESET after 10 ms`];
    expect(found(1_500)).toEqual(violation);
    expect(found(1_500, aFault())).toEqual(violation);
    expect(found(1_500, aFault({ killsGateway: true }))).toEqual([]);
    expect(found(2_900, aFault({ killsGateway: true }))).toEqual([]);
    expect(found(900, aFault({ killsGateway: true }))).toEqual(violation);
    expect(found(3_100, aFault({ killsGateway: true }))).toEqual(violation);
    expect(found(1_500, aFault({ stillsGateway: true }))).toEqual([]);
    expect(found(2_900, aFault({ stillsGateway: true }))).toEqual(violation);
  });

  it('is late after 10 s, unless the gateway itself stood still', () => {
    const evidence = { history: history(answered(200, { at: 12_000, took_ms: 10_500 })) };
    const violation = [`${request}: 200 {} after 10500 ms`];
    expect(late(anEvidence(evidence))).toEqual(violation);
    expect(late(anEvidence({ ...evidence, struck: [aFault({ killsGateway: true })] }))).toEqual(violation);
    expect(late(anEvidence({ ...evidence, struck: [aFault({ stillsGateway: true })] }))).toEqual([]);
  });

  it('has some answer on the slowest machine, unless the gateway itself stood still', () => {
    const evidence = { history: history(cut('silent', { at: 21_500, took_ms: 20_000 })) };
    const violation = [`${request}: silent after 20000 ms`];
    expect(silent(anEvidence(evidence))).toEqual(violation);
    expect(silent(anEvidence({ ...evidence, struck: [aFault({ killsGateway: true })] }))).toEqual(violation);
    expect(silent(anEvidence({ ...evidence, struck: [aFault({ stillsGateway: true })] }))).toEqual([]);
  });
});
