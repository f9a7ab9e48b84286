import autocannon from 'autocannon';
import { type Answers, type LoadPlan } from './load.js';

/** Each connection sends its next request when it has its answer. */
export async function closedLoop(plan: LoadPlan, seconds: number): Promise<Answers> {
  const latencies_ms: number[] = [];
  let connection = 0;
  const { url, connections } = plan;
  const setupClient = (client: autocannon.Client): void => client.setRequests(shareOf(plan, connection++));
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      { url, connections, duration: seconds, setupClient },
      (error: Error | null, done) => (error ? reject(error) : resolve(done)),
    );
    // autocannon's own histogram knows whole milliseconds only, too coarse for one call alone.
    run.on('response', (_, status, __, latency_ms) => {
      if (status >= 200 && status < 300) latencies_ms.push(latency_ms);
    });
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  return { seconds: result.duration, latencies_ms, failed };
}

function shareOf({ requests, connections }: LoadPlan, connection: number): autocannon.Request[] {
  const share = requests.filter((_, index) => index % connections === connection % connections);
  return (share.length > 0 ? share : requests).map((request) => ({ ...request }));
}
