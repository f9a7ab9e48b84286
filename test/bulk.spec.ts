import { randomUUID } from 'node:crypto';
import { queryDatabase } from '#testing';
import { sendBulk, type Verdict } from './bulk-client.js';
import { aDeviceId, aFirmwareEvent, anEvent } from './builders.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Lines that are right as they are; `rest` says what matters to the test. */
const anEventLine = (rest: Record<string, unknown> = {}) => ({ kind: 'event', ...anEvent(rest) });
const aStateLine = (device_id: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'state', device_id, data: { on: true } },
  ...rest,
});
const aFirmwareLine = (device_id: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'firmware', device_id },
  ...aFirmwareEvent(rest),
});
const aMessageLine = (recipient: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'message', recipient, message: 'Close valve 3' },
  ...rest,
});
const aPriceLine = (rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'price', product_id: randomUUID(), price: 19.9 },
  ...rest,
});

describe('bulk', () => {
  let system: System;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem();
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  const statusesOf = (verdicts: Verdict[]): number[] => verdicts.map(({ status }) => status);
  const statePath = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/state`;

  it('takes lines of all kinds, and gives a verdict a line, in their order', async () => {
    const { device, device_id } = project;
    const ofMember = [
      anEventLine(),
      aStateLine(device_id),
      aMessageLine(device_id),
      aPriceLine(),
      anEventLine({ device_id: aDeviceId() }),
    ];
    const { status, headers, verdicts } = await sendBulk(project.admin, ofMember);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    expect(verdicts).toEqual([
      { line: 1, status: 201, id: expect.stringMatching(UUID) },
      { line: 2, status: 200, result: 'applied' },
      { line: 3, status: 201, id: expect.stringMatching(UUID) },
      { line: 4, status: 202, result: 'applied' },
      { line: 5, status: 201, id: expect.stringMatching(UUID) },
    ]);
    const ofDevice = [aFirmwareLine(device_id), aStateLine(device_id), aFirmwareLine(device_id)];
    expect((await sendBulk(device, ofDevice)).verdicts).toEqual([
      { line: 1, status: 201, id: expect.stringMatching(UUID), result: 'applied' },
      { line: 2, status: 200, result: 'duplicate' },
      { line: 3, status: 200, id: expect.stringMatching(UUID), result: 'duplicate' },
    ]);
  });
});
