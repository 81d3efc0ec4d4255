/**
 * The journal on disk: numbered parts, appended to one after another.
 *
 *     journal/00000007.log   an earlier process's, until the store has it
 *     journal/00000008.log   sealed by `rotate`: `drop` will delete it
 *     journal/00000009.log   taking appends
 *
 * A record is in the operating system's hands when `append` returns, so a kill of the process loses nothing; a
 * torn last record is one that was never acknowledged. While the store is away the parts are compacted to the
 * newest record of each key, so the journal grows with what is live and not with time.
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Change, Journal } from '../actors/ports.js'
import { JournalUnavailable } from './errors.js'
import { compactParts } from './journal-parts.js'
import { decodeChange, encodeChange, linesOf } from './journal-record.js'
import type { StoreLog } from './log.js'

export interface JournalOptions {
  /** Above this many bytes the journal makes itself shorter; 64 MiB. */
  readonly limitBytes?: number
  /** A part is sealed when it is this long, so that compaction reads little at a time; 4 MiB. */
  readonly partBytes?: number
  readonly log?: StoreLog
}

const LIMIT_BYTES = 64 * 2 ** 20
const PART_BYTES = 4 * 2 ** 20

/** Opens the journal in a directory, which is made when it is missing. */
export const openJournal = (dir: string, options: JournalOptions = {}): FileJournal =>
  new FileJournal(dir, options)

export class FileJournal implements Journal {
  readonly #dir: string
  readonly #limitBytes: number
  readonly #partBytes: number
  readonly #log: StoreLog | undefined
  /** Bytes of each part that takes no more appends, by number, oldest first. */
  readonly #sealed = new Map<number, number>()
  /** The parts that hold what an earlier process appended. */
  readonly #earlier = new Set<number>()
  #part = 1
  #file: number
  #size = 0
  /** Above this the journal is compacted; raised when what is live alone is more than the limit. */
  #compactAbove: number
  #compacting = false
  /** Counts `drop` and `close`: a compaction that began before one of them must not finish. */
  #epoch = 0
  #closed = false
  #given = 0
  #damaged = 0

  constructor(dir: string, options: JournalOptions) {
    this.#dir = dir
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES
    this.#partBytes = options.partBytes ?? PART_BYTES
    this.#log = options.log
    this.#compactAbove = this.#limitBytes
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(dir)) if (/\.(tmp|gone)$/.test(name)) rmSync(join(dir, name))
    for (const part of partsIn(dir)) {
      this.#sealed.set(part, statSync(this.#path(part)).size)
      this.#earlier.add(part)
      this.#part = part + 1
    }
    this.#file = this.#create(this.#part)
  }

  /** Bytes on disk. */
  get bytes(): number {
    let bytes = this.#size
    for (const size of this.#sealed.values()) bytes += size
    return bytes
  }

  /** Records of history given up because what is live filled the limit. */
  get given(): number {
    return this.#given
  }

  /** Records that were damaged or cut short when they were read. */
  get damaged(): number {
    return this.#damaged
  }

  append(change: Change): void {
    this.#write(Buffer.from(encodeChange(change)))
    if (this.#size >= this.#partBytes) this.#seal()
    this.#shorten()
  }

  replay(): readonly Change[] {
    const changes: Change[] = []
    for (const part of this.#earlier) {
      for (const line of linesOf(readFileSync(this.#path(part)))) {
        if (line === null) this.#damaged++
        else changes.push(decodeChange(line))
      }
    }
    if (this.#damaged > 0) {
      this.#log?.warn(
        { records: this.#damaged },
        'journal records were cut short or damaged and are left out',
      )
    }
    return changes
  }

  rotate(): number {
    if (this.#size > 0) this.#seal()
    return this.#part
  }

  drop(mark: number): void {
    this.#epoch++
    for (const part of this.#sealed.keys()) if (part < mark) this.#forget(part)
    this.#compactAbove = this.#limitBytes
  }

  close(): void {
    this.#epoch++
    this.#closed = true
    closeSync(this.#file)
  }

  #write(line: Buffer): void {
    try {
      let written = 0
      while (written < line.length) written += writeSync(this.#file, line, written)
      this.#size += line.length
    } catch (error) {
      this.#takeBack()
      throw new JournalUnavailable(
        `journal ${this.#dir} cannot be written (${(error as NodeJS.ErrnoException).code}); make room on its disk`,
        { cause: error },
      )
    }
  }

  /** Removes half a record, which would hide the next one behind it. */
  #takeBack(): void {
    try {
      ftruncateSync(this.#file, this.#size)
    } catch {
      // A later record is then damaged too, and its checksum says so.
    }
  }

  #seal(): void {
    const next = this.#create(this.#part + 1)
    closeSync(this.#file)
    this.#sealed.set(this.#part, this.#size)
    this.#part++
    this.#file = next
    this.#size = 0
  }

  #shorten(): void {
    if (this.#compacting || this.#sealed.size === 0 || this.bytes <= this.#compactAbove) return
    this.#compacting = true
    void this.#compact()
  }

  async #compact(): Promise<void> {
    const epoch = this.#epoch
    const parts = [...this.#sealed.keys()]
    const last = parts.at(-1) as number // there is one, or it had not begun
    const shorter = this.#path(last, 'tmp')
    try {
      const result = await compactParts(
        parts.map(part => this.#path(part)),
        shorter,
        // Half, so that as much may come again before the next time.
        this.#limitBytes / 2,
      )
      if (epoch !== this.#epoch) return
      // Should this process die between the two steps, the parts left over are replayed before the newer one.
      renameSync(shorter, this.#path(last))
      this.#sealed.set(last, result.bytes)
      if (parts.some(part => this.#earlier.has(part))) this.#earlier.add(last)
      for (const part of parts) if (part !== last) this.#forget(part)
      this.#given += result.given
      this.#compactAbove = Math.max(this.#limitBytes, 2 * result.bytes)
      this.#log?.warn({ bytes: result.bytes, given: result.given }, 'the journal was compacted')
    } catch (error) {
      if (epoch !== this.#epoch) return
      this.#compactAbove = this.bytes + this.#partBytes
      this.#log?.warn({ err: error }, 'the journal could not be compacted')
    } finally {
      this.#compacting = false
      rmSync(shorter, { force: true })
      if (!this.#closed) this.#shorten()
    }
  }

  #forget(part: number): void {
    this.#sealed.delete(part)
    this.#earlier.delete(part)
    const gone = this.#path(part, 'gone')
    renameSync(this.#path(part), gone)
    // Freeing its pages takes a millisecond and more. Whatever is left over, the next start removes.
    void rm(gone, { force: true }).catch(() => {})
  }

  #create(part: number): number {
    return openSync(this.#path(part), 'ax', 0o600)
  }

  #path(part: number, kind: 'log' | 'tmp' | 'gone' = 'log'): string {
    return join(this.#dir, `${String(part).padStart(8, '0')}.${kind}`)
  }
}

const partsIn = (dir: string): number[] =>
  readdirSync(dir)
    .filter(name => /^\d{8,}\.log$/.test(name))
    .map(name => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
