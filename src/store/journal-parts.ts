/** Making a journal shorter: of several parts, the newest line of each key. */
import { open, readFile } from 'node:fs/promises'
import { headOf, linesOf } from './journal-record.js'
import { othersTurn } from './turns.js'

/** Lines looked at before other work gets its turn; about 5 ms. */
const LINES_A_TURN = 2_000
const WRITE_BYTES = 1 << 20

export interface Compacted {
  readonly bytes: number
  /** Lines that only history needs, given up because what is live fills the limit. */
  readonly given: number
  readonly damaged: number
}

/**
 * Writes the newest line of each key of the parts (oldest first) to `out`. When that is more than `limitBytes`,
 * the oldest lines that only history needs are left out until it fits; live state is never left out.
 */
export async function compactParts(
  parts: readonly string[],
  out: string,
  limitBytes: number,
): Promise<Compacted> {
  const newest = new Map<string, { line: Buffer; over: boolean }>()
  let damaged = 0
  let seen = 0
  for (const part of parts) {
    for (const line of linesOf(await readFile(part))) {
      const head = line === null ? null : headOf(line)
      if (line === null || head === null) damaged++
      else {
        // Set again at the end: lines keep the order of their last writing.
        newest.delete(head.key)
        newest.set(head.key, { line, over: head.over })
      }
      if (++seen % LINES_A_TURN === 0) await othersTurn()
    }
  }

  let bytes = 0
  for (const { line } of newest.values()) bytes += line.length + 1
  let given = 0
  for (const [key, { line, over }] of newest) {
    if (bytes <= limitBytes) break
    if (!over) continue
    newest.delete(key)
    bytes -= line.length + 1
    given++
  }

  await writeLines(
    out,
    [...newest.values()].map(({ line }) => line),
  )
  return { bytes, given, damaged }
}

async function writeLines(out: string, lines: readonly Buffer[]): Promise<void> {
  const file = await open(out, 'w', 0o600)
  try {
    let chunk: Buffer[] = []
    let size = 0
    const newline = Buffer.from('\n')
    for (const line of lines) {
      chunk.push(line, newline)
      size += line.length + 1
      if (size < WRITE_BYTES) continue
      await file.writeFile(Buffer.concat(chunk))
      chunk = []
      size = 0
    }
    await file.writeFile(Buffer.concat(chunk))
  } finally {
    await file.close()
  }
}
