import { execFile } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { freePort, isFree } from './ports.js';

describe('a port', () => {
  it('is free until somebody listens on it', async () => {
    expect(await isFree(await freePort())).toBe(true);
    const busy = createServer().listen(0);
    expect(await isFree((busy.address() as AddressInfo).port)).toBe(false);
    busy.close();
  });

  it('that cannot be listened on for another reason is not said to be busy', async () => {
    const script = `import { openSync } from 'node:fs';
      import { isFree } from '#embedded';
      await isFree(0);
      try { for (;;) openSync('/dev/null'); } catch {}
      await isFree(0).catch(({ code }) => process.exit(code === 'EMFILE' ? 0 : 1));
      process.exit(2);`;
    const limited = [
      '-c',
      'ulimit -n 64; exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      script,
    ];
    await promisify(execFile)('sh', limited);
  });
});
