import { preconditions } from './preconditions.js';

describe('the preconditions of a write', () => {
  it('are none where no header says so', () => {
    expect(preconditions()).toBeUndefined();
  });

  it.each([
    ['"3"', ['3']],
    ['*', ['*']],
    ['"*"', ['"*"']],
    ['W/"*"', ['W/"*"']],
    ['W/*', ['W/*']],
    ['"3", W/"4-1" ,"5"', ['3', '4-1', '5']],
    ['3', ['3']],
    ['', ['']],
  ])('read %j as %j', (header, versions) => {
    expect(preconditions(header)).toEqual({ if_match: versions });
    expect(preconditions(undefined, header)).toEqual({ if_none_match: versions });
  });
});
