import { Reply } from '#contracts';
import { matches, serialize } from './answer.js';

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
    ['1', false],
    ['"11"', false],
    ['""', false],
    ['', false],
    ['W/', false],
    ['w/"1"', false],
    ['W/W/"1"', false],
    ['"0", "2"', false],
  ])('%s names "1": %s', (tags, expected) => {
    expect(matches(tags, '"1"')).toBe(expected);
  });
});

describe('a body on its way out', () => {
  it.each([
    ['a reply as the service wrote it', Reply.json('{"a": 1.0}'), '{"a": 1.0}'],
    ['text as it is', '{"type":"about:blank"}', '{"type":"about:blank"}'],
    ['anything else as JSON', { a: [1, null] }, '{"a":[1,null]}'],
  ])('is %s', (_, payload, sent) => {
    expect(serialize(payload)).toBe(sent);
  });

  it('is text where a frame brought few bytes', () => {
    expect(serialize(Reply.json(Buffer.from('{"a":"é"}')))).toBe('{"a":"é"}');
  });

  it('is bytes where a frame brought many', () => {
    const bytes = Buffer.from(`{"a":"${'é'.repeat(10_000)}"}`);
    expect(serialize(Reply.json(bytes))).toBe(bytes);
  });
});
