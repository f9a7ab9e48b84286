import { reasonOf } from './reason.js';

describe('the reason of a failure', () => {
  it.each([
    ['an error says itself', new Error('no dough'), 'no dough'],
    [
      'several attempts say each',
      new AggregateError([new Error('::1'), new Error('127.0.0.1')]),
      '::1; 127.0.0.1',
    ],
    ['several attempts may say together', new AggregateError([new Error('::1')], 'no oven'), 'no oven'],
    ['an error without a word is named', new TypeError(), 'TypeError'],
    ['anything else is said as it is', 'flour', 'flour'],
  ])('%s', (_, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});
