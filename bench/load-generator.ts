import { once } from 'node:events';
import { closedLoop } from './closed-loop.js';
import { merged } from './failures.js';
import { FRESH, type AnsweredLoad, type LoadPlan } from './load.js';
import { paced } from './paced-load.js';
import { quantile } from './statistics.js';

process.once('disconnect', () => process.exit());

const [plan] = (await once(process, 'message')) as [LoadPlan];
const run = plan.rate === undefined ? closedLoop : paced;
const warmUp = await run(withFresh(plan), plan.warm_up_s);
const measured = await run(withFresh(plan), plan.seconds);
const result: AnsweredLoad = {
  rate: measured.latencies_ms.length / measured.seconds,
  acknowledged: warmUp.latencies_ms.length + measured.latencies_ms.length,
  failed: warmUp.failed + measured.failed,
  failures: merged([warmUp.failures, measured.failures]),
  p50_ms: quantile(measured.latencies_ms, 0.5),
  p99_ms: quantile(measured.latencies_ms, 0.99),
};
process.send!(result);

function withFresh(plan: LoadPlan): LoadPlan {
  const fresh = String(Date.now());
  const requests = plan.requests.map((one) => ({ ...one, body: one.body?.replaceAll(FRESH, fresh) }));
  return { ...plan, requests };
}
