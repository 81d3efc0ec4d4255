/**
 * A file without a name, for programs that want a secret from a file: its content is never found in the file
 * system, and is gone with the last process that has it open, however that ends.
 */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Calls `use` with a path at which `text` can be read until the promise settles. */
export async function withUnnamedFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const name = join(tmpdir(), `boson-${randomUUID()}`)
  const file = openSync(name, 'wx+', 0o600)
  try {
    // Before anything is written: from here on the file is reached only through this process.
    rmSync(name)
    writeSync(file, text)
    return await use(`/proc/${process.pid}/fd/${file}`)
  } finally {
    closeSync(file)
  }
}
