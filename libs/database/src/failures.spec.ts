import { databaseFailure } from './failures.js';

const unavailable = expect.objectContaining({ code: 'unavailable' }) as object;

describe('what an error of the driver means', () => {
  const coded = (code: string): Error => Object.assign(new Error('said by the driver'), { code });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', '08006', '57P01', '40P01'])(
    '%s passes by itself',
    (code) => {
      expect(databaseFailure(coded(code))).toEqual(unavailable);
    },
  );

  it.each(['ERR_INVALID_ARG_TYPE', '23505', '42601'])('%s is a fault of our own', (code) => {
    const error = coded(code);
    expect(databaseFailure(error)).toBe(error);
  });
});
