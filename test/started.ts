import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '#embedded';
import { HttpClient } from './http-client.js';

export interface Started {
  pid: number;
  url: string;
  admin: HttpClient;
  operator: HttpClient;
  /** All that it has printed so far. */
  output(): string;
  /** Resolves with the exit code, or with the signal that ended it. */
  ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** Flotilla as `npm start` starts it; resolves when it says that it serves. */
export async function started(directory: string, environment: Record<string, string> = {}): Promise<Started> {
  const port = environment.PORT ?? String(await freePort());
  const start = startProcess(directory, { PORT: port, ...environment });
  const text = await Promise.race([start.printed(/Ctrl-C stops everything/), start.ended]);
  if (!String(text).includes('Ctrl-C'))
    throw new Error(`It ended at its start (${text}):\n${start.output()}`);
  const url = `http://127.0.0.1:${port}`;
  const keyIn = async (file: string): Promise<string> =>
    (await readFile(join(directory, file), 'utf8')).trim();
  const admin = new HttpClient(url, await keyIn('admin.key'));
  return { ...start, url, admin, operator: admin.as(await keyIn('operator.key')) };
}

/** The process of a start, whatever becomes of it. */
export function startProcess(directory: string, environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--import=#source-maps', 'dist/start/main.js'], {
    env: { PATH: process.env.PATH, FLOTILLA_DATA_DIR: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const listener of listeners) listener();
    });
  }
  return {
    pid: child.pid!,
    output: () => text,
    printed: (pattern: RegExp) =>
      new Promise<string>((resolve) => {
        listeners.add(() => pattern.test(text) && resolve(text));
      }),
    ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string),
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
  };
}
