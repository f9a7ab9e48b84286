import { NO_ANSWER, REFUSAL } from '../../../bench/failures.js';
import { anEvidence, anOverload } from './builders.js';
import { type Overload } from '../overload.js';
import { collapsedInOverload, slowInOverload, unexplainedInOverload } from './overload.js';

describe('an overload', () => {
  const found = (parts: Parameters<typeof anOverload>[0]): [slow: string[], collapsed: string[]] => {
    const evidence = anEvidence({ overloads: [anOverload(parts)] });
    return [slowInOverload(evidence), collapsedInOverload(evidence)];
  };

  it('costs nothing of what can be done', () => {
    expect(found({})).toEqual([[], []]);
    expect(found({ goodput: 850 })).toEqual([['an overload: 850/s of 1000/s at the peak'], []]);
    expect(found({ p99_ms: 1_100 })).toEqual([['an overload: p99 of the accepted is 1100 ms'], []]);
  });

  it('stops nothing, on the slowest machine', () => {
    expect(found({ goodput: 90 })[1]).toEqual(['an overload: 90/s of 1000/s at the peak']);
    expect(found({ peak: 0, goodput: 0 })[1]).toEqual(['an overload: 0/s of 0/s at the peak']);
    expect(found({ peak: 0, goodput: 12_123 })[1]).toEqual(['an overload: 12123/s of 0/s at the peak']);
    expect(found({ p99_ms: 10_100 })[1]).toEqual(['an overload: p99 of the accepted is 10100 ms']);
  });

  it('is refused with 503 and Retry-After, and with nothing else', () => {
    const unexplained = (failures: Overload['failures']): string[] =>
      unexplainedInOverload(anEvidence({ overloads: [anOverload({ failures })] }));
    expect(unexplained({})).toEqual([]);
    expect(unexplained({ [REFUSAL]: 25_000 })).toEqual([]);
    expect(unexplained({ [REFUSAL]: 25_000, 503: 1, '429 with Retry-After': 2 })).toEqual([
      'an overload: 503, 1 times',
      'an overload: 429 with Retry-After, 2 times',
    ]);
    expect(unexplained({ 500: 25_000, [NO_ANSWER]: 3 })).toEqual([
      'an overload: 500, 25000 times',
      'an overload: no answer, 3 times',
    ]);
  });

  it('needs no more memory the longer it lasts', () => {
    const memory = [{ app: 'gateway' as const, before_mb: 100, after_mb: 190 }];
    expect(found({ memory })).toEqual([[], ['an overload: gateway 100 → 190 MB']]);
  });
});
