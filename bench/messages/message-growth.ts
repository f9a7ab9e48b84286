import { registerDevices } from '../device-rows.js';
import { type Growing } from '../growth/growing.js';
import { askedByMany } from '../members.js';
import { memberOf, PEERS, sending } from './message-requests.js';
import { loadConversations, MESSAGES } from './message-rows.js';

/** As many messages with one peer as rows, and as many again with 10,000 others. */
export const messageGrowth: Growing = {
  service: 'messages',
  async grow(bench, rows) {
    const { database_url } = bench;
    const project = await bench.project(`growth, ${rows} messages`);
    await registerDevices(database_url, project.id, 'peer-', PEERS);
    await registerDevices(database_url, project.id, 'close-', 1);
    const reader = await memberOf(bench, project, 'reader@example.com');
    const writer = await memberOf(bench, project, 'writer@example.com');
    await loadConversations(database_url, reader, 'peer-', PEERS, Math.ceil(rows / PEERS));
    await loadConversations(database_url, reader, 'close-', 1, rows);
    return [
      { name: 'POST /v1/messages', requests: sending(writer), adds_to: MESSAGES },
      {
        name: 'GET /v1/conversations/{peer}, a page of 100',
        requests: await askedByMany(bench, project, reader, '/v1/conversations/close-0'),
      },
      {
        name: 'GET /v1/conversations, a page of 100',
        requests: await askedByMany(bench, project, reader, '/v1/conversations'),
      },
    ];
  },
};
