import { join } from 'node:path';
import { SCHEMAS } from '../start/app-schema.js';

export const ROOT = join(import.meta.dirname, '..');

export const APPS = Object.keys(SCHEMAS).sort();

/** The app that one of our images is of. */
export function appOf(image: string): string {
  return image.replace(/^flotilla\//, '').replace(/:.*$/, '');
}
