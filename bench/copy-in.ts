import { type Client, type Connection, type Submittable } from 'pg';

/**
 * `COPY … FROM STDIN` of rows that are text already: what Postgres takes in when nobody asks anything about them.
 * All rows in one transaction. @throws what Postgres says
 */
export function copyIn(client: Client, table: string, rows: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy: Submittable & Record<string, (...told: never[]) => void> = {
      submit: (connection: Connection) => connection.query(`COPY ${table} FROM STDIN`),
      handleCopyInResponse: (connection: Connection & CopyConnection) => {
        for (const chunk of rows) connection.sendCopyFromChunk(chunk);
        connection.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => resolve(),
      handleError: (error: Error) => reject(error),
    };
    client.query(copy);
  });
}

/** A row as COPY takes it. */
export function copyLine(values: (string | null)[]): string {
  return `${values.map((value) => (value === null ? '\\N' : copyText(value))).join('\t')}\n`;
}

function copyText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}

/** What the driver's connection can do beside what its types say. */
interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}
