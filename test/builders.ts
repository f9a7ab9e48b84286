import { randomUUID } from 'node:crypto';

/** An event that is valid as it is; `rest` says what matters to the test. */
export function anEvent(rest: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    component: 'billing',
    environment: 'test',
    email: 'ada@example.com',
    message: 'Invoice 42 was paid',
    data: { invoice: 42 },
    ...rest,
  };
}

/** A firmware event that is valid as it is; `rest` says what matters to the test. */
export function aFirmwareEvent(rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { firmware: '1.0.0', status: 'installed', ...rest };
}

export function anEmail(): string {
  return `${randomUUID()}@example.com`;
}

export function aDeviceId(): string {
  return `pump ${randomUUID()}`;
}
