import { type Growing } from '../growth/growing.js';
import { addMember, askedByMany } from '../members.js';
import { fleetReads, registerReporters, reports } from './firmware-requests.js';
import { EVENTS_A_DEVICE, FIRMWARE_EVENTS, loadFleet } from './firmware-rows.js';

/** Rows are events, five of each device. */
export const firmwareGrowth: Growing = {
  service: 'firmware',
  async grow(bench, rows) {
    const project = await bench.project(`growth, ${rows} firmware events`);
    const devices = rows / EVENTS_A_DEVICE;
    const reporters = await registerReporters(bench, project, devices);
    const viewer = await addMember(bench, project, 'viewer@example.com', 'viewer');
    await loadFleet(bench.database_url, project.id, devices);
    return [
      {
        name: 'POST firmware',
        requests: reports(bench.options.connections, reporters),
        adds_to: FIRMWARE_EVENTS,
      },
      { name: 'GET firmware of a device', requests: fleetReads(project, devices) },
      {
        name: 'GET /v1/firmware/adoption',
        requests: await askedByMany(bench, project, viewer, '/v1/firmware/adoption'),
      },
    ];
  },
};
