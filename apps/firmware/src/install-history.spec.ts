import fc from 'fast-check';
import { addInstall, isAfter, type AdoptionChange, type Install } from './install-history.js';

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0-rc.1'];

/** Installs with distinct ids, on so few moments that many share one. */
const installs = fc.uniqueArray(
  fc.record({
    timestamp: fc.integer({ min: 0, max: 9 }).map((second) => `2026-01-31T12:00:0${second}.000Z`),
    id: fc.uuid(),
    firmware: fc.constantFrom(...VERSIONS),
  }),
  { selector: ({ id }) => id, maxLength: 12 },
);

const inOrder = (all: Install[]): Install[] => [...all].sort((one, other) => (isAfter(one, other) ? 1 : -1));

/** How often each version counts at that moment. */
const countsAt = (changes: AdoptionChange[], moment: string): Record<string, number> =>
  Object.fromEntries(
    VERSIONS.map((version) => [
      version,
      changes
        .filter(({ firmware, timestamp }) => firmware === version && timestamp <= moment)
        .reduce((sum, { change }) => sum + change, 0),
    ]),
  );

describe('the history of installs', () => {
  it('counts a device for the version that it ran, at any moment, in whatever order it told', () => {
    fc.assert(
      fc.property(installs, (arriving) => {
        const history: Install[] = [];
        const changes = arriving.flatMap((install) => addInstall(history, install));
        expect(history).toEqual(inOrder(arriving));
        for (const { timestamp: moment } of arriving) {
          const running = inOrder(arriving).findLast(({ timestamp }) => timestamp <= moment)!.firmware;
          expect(countsAt(changes, moment)).toEqual(
            Object.fromEntries(VERSIONS.map((version) => [version, version === running ? 1 : 0])),
          );
        }
      }),
    );
  });

  it('needs to know only the nearest before and the nearest after', () => {
    fc.assert(
      fc.property(installs, (arriving) => {
        const history: Install[] = [];
        for (const install of arriving) {
          const nearest = [
            history.findLast((other) => isAfter(install, other)),
            history.find((other) => isAfter(other, install)),
          ].filter((one) => one !== undefined);
          expect(addInstall(nearest, install)).toEqual(addInstall(history, install));
        }
      }),
    );
  });
});
