/** COPY from memory with `pg`, which speaks the protocol but has no method for it. */
import type { Client, Connection, Submittable } from 'pg'

/** What `pg` calls on the query under way, and what its types leave out. */
interface CopyConnection extends Connection {
  query(text: string): void
  sendCopyFromChunk(chunk: Uint8Array): void
  endCopyFrom(): void
}

/** Runs `copy … from stdin` with these lines; resolves when the server has them all. */
export function copyIn(client: Client, statement: string, chunks: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null
    const copy: Submittable & Record<string, unknown> = {
      submit: connection => (connection as CopyConnection).query(statement),
      handleCopyInResponse(connection: CopyConnection) {
        for (const chunk of chunks) connection.sendCopyFromChunk(chunk)
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleError: (error: Error) => (failure = error),
      handleReadyForQuery: () => (failure === null ? resolve() : reject(failure)),
    }
    client.query(copy)
  })
}
