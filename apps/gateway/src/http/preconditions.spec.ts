import { namesVersion, preconditions } from './preconditions.js';

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

describe('a list of entity tags', () => {
  it.each([
    ['"1"', true],
    ['W/"1"', true],
    ['*', true],
    [' "1" ', true],
    ['"0", "1"', true],
    ['"0",W/"1","2"', true],
    ['"0",*', true],
    ['"2"', false],
    ['1', true],
    ['"0",1', true],
    ['"11"', false],
    ['11', false],
    ['"*"', false],
    ['""', false],
    ['', false],
    ['W/', false],
    ['w/"1"', false],
    ['W/W/"1"', false],
    ['"0", "2"', false],
  ])('%s names version 1: %s', (tags, expected) => {
    expect(namesVersion(tags, 1)).toBe(expected);
  });
});
