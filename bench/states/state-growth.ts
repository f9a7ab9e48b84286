import { registerDevices } from '../device-rows.js';
import { type Growing } from '../growth/growing.js';
import { changesOf, DEVICES, readsOf, timesOf } from './state-requests.js';
import { HISTORY, loadHistory, loadStates } from './state-rows.js';

/** As many devices as rows, and one that has changed as often. */
export const stateGrowth: Growing = {
  service: 'states',
  async grow(bench, rows) {
    const { database_url } = bench;
    const project = await bench.project(`growth, ${rows} states`);
    const end = new Date();
    await registerDevices(database_url, project.id, 'changing-', rows);
    await loadStates(database_url, project.id, 'changing-', rows);
    await loadHistory(database_url, project.id, 'long', rows, end);
    const apart = Math.floor(rows / DEVICES);
    return [
      {
        name: 'PATCH state',
        requests: changesOf(project, bench.options.connections, apart),
        adds_to: HISTORY,
      },
      { name: 'GET state', requests: readsOf(project, apart) },
      {
        name: 'GET state?at=, a device with as many changes',
        requests: timesOf(project, 'long', rows, end),
      },
    ];
  },
};
