import { type Evidence } from './evidence.js';

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g;

/** C6: no answer of one project holds an id of another. */
export function leakedAnswers(evidence: Evidence): string[] {
  const projectsIn = finder(evidence);
  const { sent, reads, streams } = evidence.history;
  const answers = [
    ...reads.flatMap((read) => ('cut' in read ? [] : read)),
    ...streams.flatMap(({ project_id, entries }) =>
      entries.map(({ body }) => ({ project_id, path: '/v1/stream', body })),
    ),
    ...sent.flatMap(({ write, answers, misused }) =>
      [...answers, ...misused].map(({ body }) => ({ project_id: write.project_id, path: write.path, body })),
    ),
  ];
  return answers
    .filter(({ project_id, body }) => [...projectsIn(body)].some((project) => project !== project_id))
    .map(({ project_id, path, body }) => `${path} of ${project_id} answered ${body.slice(0, 300)}`);
}

/** C6: no line of a log holds ids of two projects. */
export function mixedLogs(evidence: Evidence): string[] {
  const projectsIn = finder(evidence);
  return evidence.logs
    .filter((line) => projectsIn(line).size > 1)
    .map((line) => `a log line holds ${projectsIn(line).size} projects: ${line.slice(0, 300)}`);
}

/** Whose ids a text holds: projects by their id, by their mark, by the ids of their rows. */
function finder({ projects, stored, feeds }: Evidence): (text: string) => Set<string> {
  const owner = new Map<string, string>();
  for (const { id } of projects) owner.set(id, id);
  for (const { id, project_id } of stored.rows) owner.set(id, project_id);
  for (const { rows } of feeds) for (const { id, project_id } of rows) owner.set(id, project_id);
  return (text) => {
    const found = new Set<string>();
    for (const { id, mark } of projects) if (text.includes(mark)) found.add(id);
    for (const [uuid] of text.matchAll(UUID)) {
      const project = owner.get(uuid);
      if (project) found.add(project);
    }
    return found;
  };
}
