import { relative } from 'node:path';
import { isFree } from '#embedded';
import { loadConfig } from '#service';
import { Flotilla } from './flotilla.js';
import { StartConfig } from './start.config.js';

try {
  const config = loadConfig(StartConfig);
  if (!(await isFree(config.PORT)))
    throw new Error(`Port ${config.PORT} is busy: stop what uses it, or set PORT`);
  const starting = Flotilla.start(config);
  const stop = (signal: NodeJS.Signals): void => {
    process.once(signal, () => process.exit(130));
    starting
      .then((flotilla) => flotilla.stop())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const { url, directory } = await starting;
  const place = relative(process.cwd(), directory) || '.';
  console.log(`Flotilla serves ${url}  (API: ${url}/docs)

  operator key   ${place}/operator.key
  admin key      ${place}/admin.key      (project "demo")
  logs           ${place}/logs

Try it:

  curl -sS ${url}/v1/events -H "Authorization: Bearer $(cat ${place}/admin.key)" -H 'Content-Type: application/json' -d '{"component":"billing","environment":"production","email":"ada@example.com","message":"Invoice 42 was paid","data":{"invoice":42}}'

Ctrl-C stops everything.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
