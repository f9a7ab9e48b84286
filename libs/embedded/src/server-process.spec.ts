import { ServerProcess } from './server-process.js';

describe('a server that is not ready', () => {
  it('is stopped when its start is given up', async () => {
    const givingUp = new AbortController();
    let asked = 0;
    const starting = ServerProcess.start({
      name: 'oven',
      command: process.execPath,
      // Takes a while to stop, as one that finishes what it has begun.
      args: [
        '-e',
        "process.once('SIGTERM', () => setTimeout(() => process.exit(0), 100)); setInterval(() => 0, 1e6)",
      ],
      stopSignal: 'SIGTERM',
      ready: () => {
        if ((asked += 1) === 10) givingUp.abort(new Error('given up'));
        return Promise.resolve(false);
      },
      signal: givingUp.signal,
    });
    await expect(starting).rejects.toThrow('given up');
  });

  it('is named, with its log, when it ends at its start', async () => {
    const starting = ServerProcess.start({
      name: 'oven',
      command: process.execPath,
      args: ['-e', 'process.exit(3)'],
      stopSignal: 'SIGTERM',
      ready: () => Promise.resolve(false),
    });
    await expect(starting).rejects.toThrow('oven ended at its start (3)');
  });
});
