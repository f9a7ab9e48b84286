import { NewFirmwareEvent } from './firmware.js';
import { validatorOf } from './validator.js';

const inAnHour = (more_ms: number): string => new Date(Date.now() + 3_600_000 + more_ms).toISOString();
const wrongIn = (rest: Record<string, unknown>): string[] =>
  validatorOf(NewFirmwareEvent)({ firmware: '1.0.0', status: 'installed', ...rest }).map(
    ({ pointer }) => pointer,
  );

describe('a firmware event', () => {
  it.each([
    '0.0.0',
    '1.2.3',
    '1.0.0-alpha.1',
    '1.0.0-0A.is.legal',
    '1.0.0+build.001',
    '1.0.0-rc.1+exp.sha-5114f85',
    '99999999999999999999.0.0',
    `1.0.0-${'a'.repeat(250)}`,
  ])('is of a version like %s', (firmware) => {
    expect(wrongIn({ firmware })).toEqual([]);
  });

  it.each([
    '',
    '1',
    '1.0',
    '1.0.0.0',
    'v1.0.0',
    '=1.0.0',
    '01.0.0',
    '1.0.00',
    '1.0.0-01',
    '1.0.0-',
    '1.0.0+',
    '1.0.0-a..b',
    '1.0.0 ',
    ' 1.0.0',
    '1.0.0\n',
    '1.0.0-ä',
    `1.0.0-${'a'.repeat(251)}`,
    1,
    null,
    undefined,
    ['1.0.0'],
  ])('is not of a version like %p', (firmware) => {
    expect(wrongIn({ firmware })).toEqual(['/firmware']);
  });

  it.each(['downloading', 'rolled_back', 'step-2', '0', 'a'.repeat(64)])(
    'may have the status %s',
    (status) => {
      expect(wrongIn({ status })).toEqual([]);
    },
  );

  it.each(['', 'in stalled', 'Installed', 'installed\n', 'é', 'a'.repeat(65), 1, null, undefined])(
    'may not have the status %p',
    (status) => {
      expect(wrongIn({ status })).toEqual(['/status']);
    },
  );

  it('may be of any time that has been, and of the hour to come', () => {
    for (const timestamp of ['0001-01-01T00:00:00Z', '1970-01-01T01:00:00+01:00', inAnHour(-60_000)])
      expect(wrongIn({ timestamp })).toEqual([]);
  });

  it('is not of a day ahead, nor of a time without a zone', () => {
    for (const timestamp of [
      inAnHour(60_000),
      inAnHour(23 * 3_600_000),
      '2026-01-31T12:00:00',
      '2026-01-31',
      null,
    ])
      expect(wrongIn({ timestamp })).toEqual(['/timestamp']);
  });
});
