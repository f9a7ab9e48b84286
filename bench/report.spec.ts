import { none } from './bars.js';
import { markdown, type SuiteReport } from './report.js';
import { type Standing } from './rounds.js';

const SPREAD = { median: 1, min: 1, max: 1 };
const STANDING: Standing = {
  name: 'flotilla',
  ...{ rate: SPREAD, p50_ms: SPREAD, p99_ms: SPREAD },
  ...{ acknowledged: 1, failed: 0, cpu_us: new Map() },
};

function report(...suites: SuiteReport[]): string {
  return markdown({ day: '2026-01-15', what: 'all', machine: ['2 × some processor'], suites });
}

function suite(name: string, state: SuiteReport['state'], error?: string): SuiteReport {
  const sections =
    state === 'to come' ? [] : [{ title: name, method: '', standings: [STANDING], bars: [none(name, 0)] }];
  return { name, state, error, sections, seconds: 1, prepared_s: 0 };
}

describe('the report', () => {
  it('keeps what a suite measured before it failed, and says of what it failed', () => {
    const text = report(suite('reads', 'failed', 'no\nsecond | page'), suite('writes', 'done'));
    expect(text).toMatch(/\| reads +\| +reads \| .*\| +pass \|/);
    expect(text).toMatch(/\| reads +\| the suite to its end \| .*no second \\\| page \| \*\*failed\*\* \|/);
    expect(text).not.toMatch(/\| writes +\| the suite to its end/);
  });

  it('of a run that has not ended says what is to come', () => {
    const text = report(suite('reads', 'under way'), suite('writes', 'to come'));
    expect(text).toMatch(/\| reads +\| the suite to its end \| .*\*\*under way\*\* \|/);
    expect(text).toMatch(/\| writes +\| the suite to its end \| .*\*\*to come\*\* \|/);
  });
});
