import { type Bench, type BenchProject } from '../bench.js';
import { type LoadRequest } from '../load.js';
import { addMember, type BenchMember } from '../members.js';
import { jsonHeaders } from '../requests.js';
import { type Owner } from './message-rows.js';

export const PEERS = 10_000;

export async function memberOf(
  bench: Bench,
  project: BenchProject,
  email: string,
): Promise<Owner & BenchMember> {
  const member = await addMember(bench, project, email, 'editor');
  return { ...member, project_id: project.id, address: email, mailbox: `member ${member.id}` };
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
