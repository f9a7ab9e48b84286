import { type Bench, type BenchProject } from './bench.js';
import { create } from './create.js';
import { type LoadRequest } from './load.js';
import { jsonHeaders } from './requests.js';

export interface BenchMember {
  id: string;
  email: string;
  key: string;
}

export function addMember(
  bench: Bench,
  project: BenchProject,
  email: string,
  role: 'editor' | 'viewer',
): Promise<BenchMember> {
  return create(bench.flotilla.url, project.key, '/v1/members', { email, role });
}

/** One question of a member's, asked with a key for each connection: callers of different keys share no answer. */
export async function askedByMany(
  bench: Bench,
  project: BenchProject,
  { id }: BenchMember,
  path: string,
): Promise<LoadRequest[]> {
  const requests: LoadRequest[] = [];
  for (let caller = 0; caller < bench.options.connections; caller += 1) {
    const { key } = await create<{ key: string }>(bench.flotilla.url, project.key, '/v1/keys', {
      member_id: id,
    });
    requests.push({ method: 'GET', path, headers: jsonHeaders({ key }) });
  }
  return requests;
}
