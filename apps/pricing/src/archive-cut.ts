/** A price change as it stands in an archive file, and whose it is. */
export interface ArchivedChange {
  project_id: string;
  product_id: string;
  previous_price: string | null;
  new_price: string;
  timestamp: string;
}

export interface ArchiveFile {
  name: string;
  content: string;
}

const CHANGES_A_FILE = 10;
/** A leader that writes them stays far below the 10 s after which the lead is another's, on a slow disk too. */
const FILES_A_CUT = 200;

/**
 * How many of the changes that wait go into files now: up to the last that fills a file of its project, or all there
 * are when time is up; no more than make 200 files.
 */
export function countToCut(waiting: Pick<ArchivedChange, 'project_id'>[], timeIsUp: boolean): number {
  const counts = new Map<string, number>();
  let files = 0;
  let cut = 0;
  for (const [index, { project_id }] of waiting.entries()) {
    const before = counts.get(project_id) ?? 0;
    if (before % CHANGES_A_FILE === 0) files += 1;
    if (files > FILES_A_CUT) break;
    counts.set(project_id, before + 1);
    if (timeIsUp || (before + 1) % CHANGES_A_FILE === 0) cut = index + 1;
  }
  return cut;
}

/**
 * Changes in files of at most ten, each of one project, in their order. Names count on from `files`: what a file
 * holds hangs on nothing but the changes and that number.
 */
export function cutFiles(changes: ArchivedChange[], files: number): ArchiveFile[] {
  const cut: ArchivedChange[][] = [];
  const open = new Map<string, ArchivedChange[]>();
  for (const change of changes) {
    let file = open.get(change.project_id);
    if (!file || file.length === CHANGES_A_FILE) {
      file = [];
      open.set(change.project_id, file);
      cut.push(file);
    }
    file.push(change);
  }
  return cut.map((file, index) => ({
    name: `${String(files + index + 1).padStart(12, '0')}-${file[0]!.project_id}.json`,
    content: `[${file.map(jsonOf).join(',\n')}]\n`,
  }));
}

function jsonOf({ product_id, previous_price, new_price, timestamp }: ArchivedChange): string {
  return JSON.stringify({ product_id, previous_price, new_price, timestamp });
}
