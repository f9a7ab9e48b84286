import autocannon from 'autocannon';
import { add, failureOf, NO_ANSWER, timesOf, type Failures } from './failures.js';
import { type Answers, type LoadPlan } from './load.js';

/** What autocannon hands out as the headers of an answer, whatever its types say: names and values in turn. */
interface Head {
  headers: string[];
}

/** Each connection sends its next request when it has its answer. */
export async function closedLoop(plan: LoadPlan, seconds: number): Promise<Answers> {
  const latencies_ms: number[] = [];
  const failures: Failures = {};
  let connection = 0;
  const { url, connections } = plan;
  const setupClient = (client: autocannon.Client): void => {
    client.setRequests(shareOf(plan, connection++));
    let head: Head;
    client.on('headers', (parsed) => (head = parsed as unknown as Head));
    // autocannon's own histogram knows whole milliseconds only, too coarse for one call alone.
    client.on('response', (status, _, latency_ms) => {
      if (status >= 200 && status < 300) {
        latencies_ms.push(latency_ms);
        return;
      }
      const saysWhen = head.headers.some((name) => name.toLowerCase() === 'retry-after');
      add(failures, failureOf(status, saysWhen));
    });
  };
  const result = await autocannon({ url, connections, duration: seconds, setupClient });
  // Its own count of errors lacks connections that were closed before the answer. At the end each waits for one, and is cut.
  const unanswered = result.requests.sent - connections - latencies_ms.length - timesOf(failures);
  if (unanswered > 0) add(failures, NO_ANSWER, unanswered);
  return { seconds: result.duration, latencies_ms, failed: timesOf(failures), failures };
}

function shareOf({ requests, connections }: LoadPlan, connection: number): autocannon.Request[] {
  const share = requests.filter((_, index) => index % connections === connection % connections);
  return (share.length > 0 ? share : requests).map((request) => ({ ...request }));
}
