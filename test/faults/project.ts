import { Random } from '../../bench/random.js';
import { HttpClient } from '../http-client.js';

/** A project of the run. Every name in it holds its mark, which no other project's names hold. */
export interface Project {
  id: string;
  mark: string;
  admin_key: string;
  devices: { id: string; key: string }[];
  products: string[];
}

const DEVICES = 5;
const PRODUCTS = 4;

export async function makeProject(operator: HttpClient, random: Random): Promise<Project> {
  const mark = random.uuid().slice(0, 8);
  const made = await operator.post('/v1/projects', { name: mark });
  if (made.status !== 201) throw new Error(`No project: ${made.status} ${JSON.stringify(made.body)}`);
  const admin = operator.as(made.body.admin_key as string);
  const devices = [];
  for (let number = 1; number <= DEVICES; number += 1) {
    const id = `${mark} pump/${number}`;
    const device = await admin.post('/v1/devices', { id });
    devices.push({ id, key: device.body.key as string });
  }
  return {
    id: made.body.id as string,
    mark,
    admin_key: made.body.admin_key as string,
    devices,
    products: Array.from({ length: PRODUCTS }, (_, index) => `${mark} valve ${index + 1}`),
  };
}
