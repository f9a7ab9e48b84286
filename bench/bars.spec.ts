import { none, p50Within, p99AtMost, p99Within, rateAtLeast, rateWithin } from './bars.js';
import { type Standing } from './rounds.js';

function standing(name: string, rate: number, latency_ms = 1): Standing {
  const spread = (median: number): Standing['rate'] => ({ median, min: median, max: median });
  const latency = spread(latency_ms);
  return {
    name,
    rate: spread(rate),
    p50_ms: latency,
    p99_ms: latency,
    acknowledged: 100,
    failed: 0,
    cpu_us: new Map(),
  };
}

describe('a bar', () => {
  it('says what it is held against, and both figures', () => {
    expect(rateAtLeast('POST', 2, standing('ours', 300), standing('theirs', 100))).toEqual({
      what: 'POST',
      baseline: 'theirs: 100/s',
      promise: '≥ 2 ×',
      result: '300/s, 3.00 ×',
      met: true,
    });
  });

  it('is met by the very figure, and missed by one below it', () => {
    expect(rateAtLeast('POST', 2, standing('ours', 200), standing('theirs', 100)).met).toBe(true);
    expect(rateAtLeast('POST', 2, standing('ours', 199), standing('theirs', 100)).met).toBe(false);
    expect(rateWithin('GET', 2, standing('many', 50), standing('few', 100)).met).toBe(true);
    expect(rateWithin('GET', 2, standing('many', 49), standing('few', 100)).met).toBe(false);
    expect(p50Within('GET', 2, standing('ours', 1, 6), standing('theirs', 1, 3)).met).toBe(true);
    expect(p50Within('GET', 2, standing('ours', 1, 6.1), standing('theirs', 1, 3)).met).toBe(false);
    expect(p99Within('GET', 1.5, standing('ours', 1, 6), standing('theirs', 1, 4)).met).toBe(true);
    expect(p99Within('GET', 1.5, standing('ours', 1, 6.1), standing('theirs', 1, 4)).met).toBe(false);
    expect(p99AtMost('GET', 20, standing('ours', 1, 20)).met).toBe(true);
    expect(p99AtMost('GET', 20, standing('ours', 1, 20.1)).met).toBe(false);
    expect(none('missing', 0).met).toBe(true);
    expect(none('missing', 1).met).toBe(false);
  });

  it('is missed when more than a hundredth was refused, whoever refused it', () => {
    const [ours, theirs] = [standing('ours', 300), standing('theirs', 100)];
    const refusing = { ...theirs, failed: 2 };
    expect(rateAtLeast('POST', 2, ours, { ...theirs, failed: 1 }).met).toBe(true);
    expect(rateAtLeast('POST', 2, ours, refusing).met).toBe(false);
    expect(rateAtLeast('POST', 2, { ...ours, failed: 2 }, theirs).met).toBe(false);
    expect(rateWithin('GET', 9, ours, refusing).met).toBe(false);
    expect(p50Within('GET', 2, ours, refusing).met).toBe(false);
    expect(p99AtMost('GET', 20, refusing).met).toBe(false);
  });

  it('is missed when nothing was answered', () => {
    const [none, some] = [standing('none', 0, NaN), standing('some', 100)];
    expect(rateAtLeast('POST', 2, some, none).met).toBe(false);
    expect(rateAtLeast('POST', 2, none, some).met).toBe(false);
    expect(rateWithin('GET', 2, none, some).met).toBe(false);
    expect(p50Within('GET', 2, none, some).met).toBe(false);
    expect(p99AtMost('GET', 20, none).met).toBe(false);
  });
});
