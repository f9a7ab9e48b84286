/** What no parameter and no field takes for a time. */
export const BAD_DATES = [
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01T00:00:00',
  '+275760-09-13T00:00:00Z',
  'now',
  '',
];
