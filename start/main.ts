import { once } from 'node:events';
import { isFree } from '#embedded';
import { loadConfigBefore, reasonOf, settingsOf } from '#service';
import { CONFIGS } from './app-configs.js';
import { Flotilla } from './flotilla.js';
import { StartConfig } from './start.config.js';

/** What the apps are given, whatever the environment says. */
const GIVEN = [...settingsOf(StartConfig), 'HEALTH_PORT'];

/** Aborted by the first signal. */
const stopping = new AbortController();

try {
  const config = loadConfigBefore(StartConfig, Object.values(CONFIGS), GIVEN);
  if (!(await isFree(config.PORT)))
    throw new Error(`Port ${config.PORT} is busy: stop what uses it, or set PORT`);
  const stopped = once(stopping.signal, 'abort');
  // npm hands on the Ctrl-C that the terminal has sent already: only the first counts, and stopping is bounded.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());

  const flotilla = await Flotilla.start(config, stopping.signal);
  const { url, directory } = flotilla;
  const place = inShell(directory);
  if (!stopping.signal.aborted)
    console.log(`Flotilla serves ${url}  (API: ${url}/docs)

  operator key   ${place}/operator.key
  admin key      ${place}/admin.key      (project "demo")
  logs           ${place}/logs

Try it:

  curl -sS ${url}/v1/events -H "Authorization: Bearer $(cat ${place}/admin.key)" -H 'Content-Type: application/json' -d '{"component":"billing","environment":"production","email":"ada@example.com","message":"Invoice 42 was paid","data":{"invoice":42}}'

Ctrl-C stops everything.`);
  await stopped;
  await flotilla.stop();
  process.exit(0);
} catch (error) {
  if (error === stopping.signal.reason) process.exit(0);
  if (!stopping.signal.aborted) console.error(reasonOf(error));
  process.exit(1);
}

/** A path as a shell takes it, so that the printed lines work when pasted. */
function inShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
