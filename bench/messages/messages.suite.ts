import { atLeast, atMost, none, within } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { registerDevices } from '../device-rows.js';
import { runLoad, type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { loadConversations, type Owner } from './message-rows.js';

const PEERS = 10_000;
const FEW = 10_000;
const MESSAGES = 'messages.messages';

/** Messages sent, a long conversation, and a long list of conversations. */
export const messages: Suite = {
  name: 'messages',
  async run(bench) {
    const { rows } = bench.options;
    const project = await bench.project('bench messages');
    const others = await bench.project('bench other messages');
    await registerDevices(bench.database_url, project.id, 'peer-', PEERS);
    await registerDevices(bench.database_url, project.id, 'close-', 1);
    const ada = await memberOf(bench, project, 'ada@example.com');
    const eve = await memberOf(bench, others, 'eve@example.com');
    const writes = await writeSection(bench, { ...project, key: ada.key });

    const reader = await memberOf(bench, project, 'reader@example.com');
    await loadConversations(bench.database_url, reader, 'close-', 1, rows);
    await loadConversations(bench.database_url, reader, 'peer-', PEERS, 2);
    await loadConversations(bench.database_url, eve, 'few-', 100, FEW / 100);
    const before = await read(bench, reader.key, `${FEW} others`);
    await loadConversations(bench.database_url, eve, 'many-', 5_000, (5 * rows) / 5_000);
    const after = await read(bench, reader.key, `${5 * rows} others`);
    return [writes, readSection([...before, ...after], rows)];
  },
};

async function memberOf(
  bench: Bench,
  project: BenchProject,
  email: string,
): Promise<Owner & { key: string }> {
  const response = await fetch(`${bench.flotilla.url}/v1/members`, {
    method: 'POST',
    headers: jsonHeaders(project),
    body: JSON.stringify({ email, role: 'editor' }),
  });
  if (response.status !== 201) throw new Error(`No member: ${await response.text()}`);
  const { id, key } = (await response.json()) as { id: string; key: string };
  return { project_id: project.id, address: email, mailbox: `member ${id}`, key };
}

async function writeSection(bench: Bench, project: BenchProject): Promise<Section> {
  const { connections, seconds, rounds } = bench.options;
  const requests = Array.from({ length: PEERS }, (_, peer): LoadRequest => ({
    method: 'POST',
    path: '/v1/messages',
    headers: jsonHeaders(project),
    body: JSON.stringify({ recipient: `peer-${peer}`, message: `Close valve ${peer % 7}, please` }),
  }));
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
    writers.map((writer) => writing(writer, MESSAGES, { connections, warm_up_s: 2, seconds, requests })),
    rounds,
  );
  const missing = await missingRows(writers, MESSAGES, before, standings);
  await bench.stopContenders();
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: `POST /v1/messages, to ${PEERS} devices`,
    method: `Closed loop, one sender. The monolith writes a message and both sides of its conversation in a transaction, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      atLeast('flotilla / monolith, POST message', 1.5, median('flotilla'), median('monolith')),
      none('acknowledged message missing', missing),
    ],
  };
}

const CONVERSATION = 'a conversation';
const CONVERSATIONS = 'the list of conversations';

function read(bench: Bench, key: string, beside: string): Promise<Standing[]> {
  const { seconds, rounds } = bench.options;
  const reading = (what: string, path: string): Contender => {
    const requests: LoadRequest[] = [{ method: 'GET', path, headers: jsonHeaders({ key }) }];
    const plan = { connections: 1, warm_up_s: 1, seconds, url: bench.flotilla.url, requests };
    return { name: `${what}, ${beside}`, turn: () => runLoad(plan) };
  };
  return alternate(
    [reading(CONVERSATION, '/v1/conversations/close-0'), reading(CONVERSATIONS, '/v1/conversations')],
    rounds,
  );
}

function readSection(standings: Standing[], rows: number): Section {
  const [few, many] = [`${FEW} others`, `${5 * rows} others`];
  const of = (what: string, beside: string): Standing => standingOf(standings, `${what}, ${beside}`);
  return {
    title: 'GET /v1/conversations',
    method: `One connection, closed loop, pages of 100: of a conversation of ${rows} messages, and of a list of ${PEERS} conversations.`,
    standings,
    bars: [CONVERSATION, CONVERSATIONS].flatMap((what) => [
      within(`${what}, p99`, 20, of(what, many).p99_ms.median),
      atMost(
        `${what}, ${many} / ${few}, p50`,
        1.3,
        of(what, many).p50_ms.median,
        of(what, few).p50_ms.median,
      ),
    ]),
  };
}
