import { beyond, whereAll } from './where-all.js';

describe('conditions', () => {
  it('are joined with their values in order, those without one left out', () => {
    expect(
      whereAll([
        ['a = ?', 1],
        ['b = ?', undefined],
        ['c IS NOT NULL', null],
        ['d BETWEEN ? AND ?', 2, 3],
        ['e = ?', false],
      ]),
    ).toEqual({
      where: 'a = $1 AND c IS NOT NULL AND d BETWEEN $2 AND $3 AND e = $4',
      values: [1, 2, 3, false],
      name: '10111',
    });
  });

  it.each([
    ['asc', '(at, id) > ($1, $2)'],
    ['desc', '(at, id) < ($1, $2)'],
  ] as const)('are of what lies beyond a place: %s', (order, where) => {
    expect(whereAll([beyond(['at', 'id'], order, ['then', 'x'])])).toEqual({
      where,
      values: ['then', 'x'],
      name: '1',
    });
  });

  it('are none without a place', () => {
    expect(whereAll([beyond(['at', 'id'], 'asc')])).toEqual({ where: '', values: [], name: '0' });
  });
});
