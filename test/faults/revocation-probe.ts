import { HttpClient } from '../http-client.js';
import { type Scene } from './fault.js';

/**
 * Makes a key, uses it, takes it away, uses it again: on every gateway. Rejects when one of these cannot be done now.
 * @param once_known happens before the key is taken away
 * @returns what must never be: where the key still opened
 */
export async function probeRevocation(
  { rig, projects }: Pick<Scene, 'rig' | 'projects'>,
  once_known: () => void = () => undefined,
): Promise<string[]> {
  const [project] = projects;
  const gateways = rig.gateways.map((url) => new HttpClient(url, project!.admin_key));
  const admin = gateways[0]!;
  const made = await admin.post('/v1/keys', { device_id: project!.devices[0]!.id });
  if (made.status !== 201) throw new Error(`no key can be made: ${made.status}`);
  const { id, key } = made.body as { id: string; key: string };
  const useIt = (): Promise<number[]> =>
    Promise.all(gateways.map(async (gateway) => (await gateway.as(key).get('/v1/me')).status));
  const before = await useIt();
  if (before.some((status) => status !== 200))
    throw new Error(`a new key does not open: ${before.join(', ')}`);
  once_known();
  const revoked = await admin.delete(`/v1/keys/${id}`);
  if (revoked.status !== 204) throw new Error(`no key can be taken away: ${revoked.status}`);
  const after = await useIt();
  return after.filter((status) => status === 200).map(() => `key ${id} opened after it was revoked`);
}
