import fc from 'fast-check';
import { countToCut, cutFiles, type ArchivedChange } from './archive-cut.js';

const PROJECTS = ['00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000b'];

const feeds = fc
  .array(fc.constantFrom(...PROJECTS), { maxLength: 120 })
  .map((owners) => owners.map((project_id, index) => changeOf(project_id, index)));

function changeOf(project_id: string, index: number): ArchivedChange {
  return {
    project_id,
    product_id: `p"${index}`,
    previous_price: index === 0 ? null : `${index}.50`,
    new_price: `${index + 1}.50`,
    timestamp: '2026-01-31T12:00:00.000Z',
  };
}

describe('the cut of an archive', () => {
  const waiting = (...counts: number[]): { project_id: string }[] =>
    counts.flatMap((count, project) =>
      Array<object>(count).fill({ project_id: PROJECTS[project]! }),
    ) as never;

  it('waits for ten changes, or until time is up', () => {
    expect([0, 9, 10, 19, 25].map((count) => countToCut(waiting(count), false))).toEqual([0, 0, 10, 10, 20]);
    expect([0, 9, 10, 25].map((count) => countToCut(waiting(count), true))).toEqual([0, 9, 10, 25]);
  });

  it('waits for ten of one project, however many of others wait', () => {
    expect(countToCut(waiting(9, 9), false)).toBe(0);
    expect(countToCut([...waiting(9, 9), ...waiting(2)], false)).toBe(19);
    const many = Array.from({ length: 150 }, (_, index) => ({ project_id: `${index % 50}` }));
    expect(countToCut(many, false)).toBe(0);
  });

  it('makes no more than 200 files at once', () => {
    const each = Array.from({ length: 1_000 }, (_, index) => ({ project_id: `${index}` }));
    expect(countToCut(each, false)).toBe(0);
    expect(countToCut(each, true)).toBe(200);
    fc.assert(
      fc.property(
        fc.array(fc.nat(300).map(String), { maxLength: 1_000 }),
        fc.boolean(),
        (owners, timeIsUp) => {
          const feed = owners.map((project_id, index) => changeOf(project_id, index));
          const cut = countToCut(feed, timeIsUp);
          expect(cutFiles(feed.slice(0, cut), 0).length).toBeLessThanOrEqual(200);
        },
      ),
    );
  });

  it('puts each change into one file, in order, ten at most, no two projects in one', () => {
    fc.assert(
      fc.property(feeds, (feed) => {
        const files = cutFiles(feed, 0).map(({ name, content }) => ({
          project_id: name.slice(13, -5),
          changes: JSON.parse(content) as Omit<ArchivedChange, 'project_id'>[],
        }));
        for (const project_id of PROJECTS) {
          const own = files.filter((file) => file.project_id === project_id);
          const expected = feed.filter((change) => change.project_id === project_id);
          expect(own.flatMap(({ changes }) => changes)).toEqual(
            expected.map(({ project_id: _, ...change }) => change),
          );
        }
        for (const { changes } of files) {
          expect(changes.length).toBeGreaterThan(0);
          expect(changes.length).toBeLessThanOrEqual(10);
        }
        expect(files.flatMap(({ changes }) => changes)).toHaveLength(feed.length);
      }),
    );
  });

  it('numbers files on, so that they sort in the order of the feed', () => {
    const feed = Array.from({ length: 25 }, (_, index) => changeOf(PROJECTS[0]!, index));
    expect(cutFiles(feed, 41).map(({ name }) => name)).toEqual([
      `000000000042-${PROJECTS[0]}.json`,
      `000000000043-${PROJECTS[0]}.json`,
      `000000000044-${PROJECTS[0]}.json`,
    ]);
  });
});
