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

/** How many of the changes that wait go into files now: all that fill files, or all there are when time is up. */
export function countToCut(waiting: number, timeIsUp: boolean): number {
  return timeIsUp ? waiting : waiting - (waiting % CHANGES_A_FILE);
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
