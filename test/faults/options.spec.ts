import { expectNamed } from './options.js';

describe('a run of some faults', () => {
  const choose = (...only: string[]) => expectNamed(['kill -9 gateway', 'overload'], only);

  it('is of all unless some are named', () => {
    expect(() => choose()).not.toThrow();
    expect(() => choose('kill', 'overload')).not.toThrow();
  });

  it('is not begun when it is of none, or one of the names is a slip', () => {
    const message = '--only typo is part of none of kill -9 gateway, overload';
    expect(() => choose('typo')).toThrow(message);
    expect(() => choose('kill', 'typo')).toThrow(message);
  });
});
