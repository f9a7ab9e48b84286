import { none, p50Within, p99AtMost, rateAtLeast } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { registerDevices } from '../device-rows.js';
import { runLoad, type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { memberOf, PEERS, sending } from './message-requests.js';
import { loadConversations, MESSAGES } from './message-rows.js';

const FEW = 10_000;

/** Messages sent, a long conversation, and a long list of conversations. */
export const messages: Suite = {
  name: 'messages',
  async *run(bench) {
    const { rows } = bench.options;
    const project = await bench.project('bench messages');
    await bench.prepare(`${PEERS} devices`, async () => {
      await registerDevices(bench.database_url, project.id, 'peer-', PEERS);
      await registerDevices(bench.database_url, project.id, 'close-', 1);
    });
    const ada = await memberOf(bench, project, 'ada@example.com');
    yield await writeSection(bench, { ...project, key: ada.key });

    const reader = await memberOf(bench, project, 'reader@example.com');
    const eve = await memberOf(bench, project, 'eve@example.com');
    await bench.prepare(`a conversation of ${rows} messages, ${PEERS} conversations`, async () => {
      await loadConversations(bench.database_url, reader, 'peer-', PEERS, 2);
      await loadConversations(bench.database_url, eve, 'few-', 100, FEW / 100);
      await loadConversations(bench.database_url, reader, 'close-', 1, rows);
    });
    const before = await read(bench, reader.key, `${FEW} others`);
    await bench.prepare(`${5 * rows} messages of others`, () =>
      loadConversations(bench.database_url, eve, 'many-', 5_000, (5 * rows) / 5_000),
    );
    const after = await read(bench, reader.key, `${5 * rows} others`);
    yield readSection([...before, ...after], rows);
  },
};

async function writeSection(bench: Bench, project: BenchProject): Promise<Section> {
  const { connections, seconds } = bench.options;
  const requests = sending(project);
  const { writer: monolith, pool_size } = await startMonolith(bench, {
    app: 'messages',
    schema: 'messages',
    script: 'bench/messages/message-monolith.main.js',
    project,
    requests,
  });
  const writers = [{ name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url }, monolith];
  const before = await countRows(writers, MESSAGES);
  const standings = await alternate(
    bench,
    writers.map((writer) => writing(writer, MESSAGES, { connections, warm_up_s: 2, seconds, requests })),
  );
  const missing = await missingRows(writers, MESSAGES, before, standings);
  await bench.stopContenders();
  return {
    title: `POST /v1/messages, to ${PEERS} devices`,
    method: `Closed loop, one sender. The monolith writes a message and both sides of its conversation in a transaction, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      rateAtLeast(
        'POST /v1/messages',
        1.5,
        standingOf(standings, 'flotilla'),
        standingOf(standings, 'monolith'),
      ),
      none('POST /v1/messages, acknowledged and missing', missing),
    ],
  };
}

const CONVERSATION = 'a conversation';
const CONVERSATIONS = 'the list of conversations';

function read(bench: Bench, key: string, beside: string): Promise<Standing[]> {
  const { seconds } = bench.options;
  const reading = (what: string, path: string): Contender => {
    const requests: LoadRequest[] = [{ method: 'GET', path, headers: jsonHeaders({ key }) }];
    const plan = { connections: 1, warm_up_s: 1, seconds, url: bench.flotilla.url, requests };
    return { name: `${what}, ${beside}`, turn: () => runLoad(plan) };
  };
  return alternate(bench, [
    reading(CONVERSATION, '/v1/conversations/close-0'),
    reading(CONVERSATIONS, '/v1/conversations'),
  ]);
}

function readSection(standings: Standing[], rows: number): Section {
  const [few, many] = [`${FEW} others`, `${5 * rows} others`];
  const of = (what: string, beside: string): Standing => standingOf(standings, `${what}, ${beside}`);
  return {
    title: 'GET /v1/conversations',
    method: `One connection, closed loop, pages of 100: of a conversation of ${rows} messages, and of a list of ${PEERS} conversations.`,
    standings,
    bars: [CONVERSATION, CONVERSATIONS].flatMap((what) => [
      p99AtMost(`GET ${what}, ${many}`, 20, of(what, many)),
      p50Within(`GET ${what}, ${many}`, 1.3, of(what, many), of(what, few)),
    ]),
  };
}
