import { type Bench, type BenchProject } from '../bench.js';
import { type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { type Owner } from './message-rows.js';

export const PEERS = 10_000;

export async function memberOf(
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

/** A message to each of the devices `peer-0` to `peer-9999`. */
export function sending(sender: { key: string }): LoadRequest[] {
  return Array.from({ length: PEERS }, (_, peer) => ({
    method: 'POST',
    path: '/v1/messages',
    headers: jsonHeaders(sender),
    body: JSON.stringify({ recipient: `peer-${peer}`, message: `Close valve ${peer % 7}, please` }),
  }));
}
