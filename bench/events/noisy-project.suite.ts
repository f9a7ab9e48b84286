import { p99Within } from '../bars.js';
import { runLoad } from '../load.js';
import { alternate, standingOf, type Contender } from '../rounds.js';
import { type Suite } from '../section.js';
import { eventRequests } from './event-requests.js';

const QUIET_RATE = 50;
const QUIET_CONNECTIONS = 16;
const TIMES = 10;
/** A turn is so much longer than others': one request in a hundred of a few hundred is to be more than the worst one. */
const LONGER = 5;
/** So long before the quiet project is measured the noise is there, and so long it stays: to connect is a storm of its own. */
const MARGIN_S = 2;

/** What a project that minds its own business notices of another that has ten times as many callers. */
export const noisyProject: Suite = {
  name: 'events/noisy-project',
  async *run(bench) {
    const quiet = await bench.project('bench quiet');
    const noisy = await bench.project('bench noisy');
    const { connections } = bench.options;
    const seconds = bench.options.seconds * LONGER;
    const { url } = bench.flotilla;
    const beside = (callers: number): Contender => ({
      name: `beside ${callers} callers`,
      turn: async () => {
        const [mine, noise] = await Promise.all([
          runLoad({
            ...{ url, connections: QUIET_CONNECTIONS, rate: QUIET_RATE, requests: eventRequests(quiet) },
            ...{ warm_up_s: MARGIN_S, seconds },
          }),
          runLoad({
            ...{ url, connections: callers, requests: eventRequests(noisy) },
            ...{ warm_up_s: 0, seconds: seconds + 2 * MARGIN_S },
          }),
        ]);
        // Processor time is of all answers; the noise may be refused.
        return { ...mine, acknowledged: mine.acknowledged + noise.acknowledged };
      },
    });
    const standings = await alternate(bench, [beside(connections), beside(TIMES * connections)]);
    const [usual, loud] = [
      standingOf(standings, `beside ${connections} callers`),
      standingOf(standings, `beside ${TIMES * connections} callers`),
    ];
    yield {
      title: `POST /v1/events of a quiet project, ${QUIET_RATE}/s, beside a noisy one`,
      method:
        `The quiet project’s requests leave evenly, and the table is of them alone; the noisy project’s callers have their next request ` +
        `ready at once, whether the last was accepted or refused. The product’s limit of requests a key is lifted.`,
      standings,
      bars: [
        p99Within('POST /v1/events of a quiet project, ten times the callers beside it', 1.5, loud, usual),
      ],
    };
  },
};
