/**
 * Records on their way to the coordinator. They wait here, on disk, while it is away: so many at most, the newest and
 * the worst of them. A batch is numbered once and never changes; it is given again until it is acknowledged.
 *
 *   add ─→ waiting ─ next ─→ on the way ─ settled ─→ gone
 *             └─ no room: dropped, and counted
 */
import type { Random } from '../../kit/random.js'
import { REPORT_RECORDS_MAX, type WireOf } from '../../protocol/messages.js'
import type { Record } from './records.js'
import { SpoolFile } from './spool-file.js'

export interface SpoolOptions {
  /** Where records outlive the process; absent: they do not. */
  readonly path?: string | undefined
  /** Records that may wait, those on the way among them. */
  readonly max: number
  /** Log lines in one batch. */
  readonly logsPerBatch: number
  readonly random: Random
  /** Hears, once each, of a file that cannot be used: records wait in memory then. */
  readonly fault: (error: unknown) => void
}

export type Batch = Omit<WireOf<'report.batch'>, 'type'>

/** What goes first when there is no room: the first of these that has any, its oldest. */
const RANKS = ['info', 'warning', 'client', 'traffic', 'error'] as const
type Rank = (typeof RANKS)[number]

/** A batch of more would not fit into a message of the wire, bytes of JSON. */
const BATCH_MAX = 40_000
/** The file is written anew when it is this much larger than what it stands for, bytes. */
const SLACK = 256 * 1024

/** What the file's lines say. */
type Entry =
  | readonly ['stream', string, number, number]
  | readonly ['add', number, Record, string?]
  | readonly ['drop', number, number]
  | readonly ['batch', number, readonly number[]]
  | readonly ['done', number]

interface OnTheWay {
  readonly stream: string
  readonly seq: number
  readonly numbers: readonly number[]
  readonly records: readonly Record[]
}

export class Spool {
  readonly #options: SpoolOptions
  readonly #file: SpoolFile | null
  /** Each rank in the order of numbers. */
  readonly #waiting: Readonly<{ [R in Rank]: Map<number, Record> }> = {
    info: new Map(),
    warning: new Map(),
    client: new Map(),
    traffic: new Map(),
    error: new Map(),
  }
  #stream: string
  #seq = 0
  #dropped = 0
  #next = 1
  #onTheWay: OnTheWay | null = null
  #isKept = false
  /** Where records of an earlier process came from. */
  readonly #names = new Set<string>()

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#stream = this.#newStream()
    this.#file = options.path === undefined ? null : new SpoolFile(options.path)
    if (this.#file === null) return
    try {
      for (const entry of this.#file.open()) this.#replay(entry as Entry) // written by us, and its sum is right
      this.#isKept = true
      this.#compact()
    } catch (error) {
      this.#lose(error)
    }
  }

  /** Records that wait, or are on the way. */
  get size(): number {
    return this.#count() + (this.#onTheWay?.records.length ?? 0)
  }

  /** Records that there was no room for, in all. */
  get dropped(): number {
    return this.#dropped
  }

  /** Whether records outlive the process. */
  get isKept(): boolean {
    return this.#isKept
  }

  /** Keeps a record. By the name of where it came from it is known again after a kill: see `has`. */
  add(record: Record, name?: string): void {
    const number = this.#next++
    this.#waiting[rankOf(record)].set(number, record)
    this.#write(name === undefined ? ['add', number, record] : ['add', number, record, name])
    while (this.size > this.#options.max && this.#evict());
  }

  /** Whether an earlier process, which was killed right then, has kept what came from here. */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Returns the batch that is on the way, or makes the next one; null when nothing waits. */
  next(): Batch | null {
    if (this.#onTheWay === null) {
      const chosen = this.#choose()
      if (chosen.length === 0) return null
      const numbers = chosen.map(([number]) => number)
      for (const [number, record] of chosen) this.#waiting[rankOf(record)].delete(number)
      this.#seq++
      this.#onTheWay = {
        stream: this.#stream,
        seq: this.#seq,
        numbers,
        records: chosen.map(([, record]) => record),
      }
      this.#write(['batch', this.#seq, numbers])
      // Numbered again after a loss of power, another batch would be taken for this one.
      this.#sync()
    }
    const { stream, seq, records } = this.#onTheWay ?? { stream: '', seq: 0, records: [] }
    return { stream, seq, ...rowsOf(records), dropped: this.#dropped }
  }

  /** The batch on the way has been counted; or, when it was `refused`, never will be. */
  settled(stream: string, seq: number, outcome: 'stored' | 'refused'): void {
    const batch = this.#onTheWay
    if (batch === null || batch.stream !== stream || batch.seq !== seq) return
    if (outcome === 'refused') this.#dropped += batch.records.length
    this.#onTheWay = null
    this.#write(['done', seq])
    if (this.#file !== null && this.#file.size > SLACK + 400 * this.size) this.#compact()
  }

  close(): void {
    this.#file?.close()
  }

  /** The oldest of every rank, as many as fit into one batch. */
  #choose(): [number, Record][] {
    const all = RANKS.flatMap(rank => firstOf(this.#waiting[rank], REPORT_RECORDS_MAX)).sort(
      ([a], [b]) => a - b,
    )
    const room = {
      client: REPORT_RECORDS_MAX,
      traffic: REPORT_RECORDS_MAX,
      log: Math.min(this.#options.logsPerBatch, REPORT_RECORDS_MAX),
    }
    const chosen: [number, Record][] = []
    let bytes = 0
    for (const [number, record] of all) {
      const size = JSON.stringify(record.row).length
      if (chosen.length > 0 && bytes + size > BATCH_MAX) break
      if (room[record.kind]-- <= 0) continue
      bytes += size
      chosen.push([number, record])
    }
    return chosen
  }

  /** Drops one that waits; false when none does. */
  #evict(): boolean {
    for (const rank of RANKS) {
      const [number] = this.#waiting[rank].keys()
      if (number === undefined) continue
      this.#waiting[rank].delete(number)
      this.#dropped++
      this.#write(['drop', number, this.#dropped])
      return true
    }
    return false
  }

  #count(): number {
    return RANKS.reduce((sum, rank) => sum + this.#waiting[rank].size, 0)
  }

  #replay(entry: Entry): void {
    const take = (number: number): Record | undefined => {
      for (const rank of RANKS) {
        const record = this.#waiting[rank].get(number)
        if (record === undefined) continue
        this.#waiting[rank].delete(number)
        return record
      }
      return undefined
    }
    switch (entry[0]) {
      case 'stream':
        this.#stream = entry[1]
        this.#seq = entry[2]
        this.#dropped = entry[3]
        return
      case 'add':
        this.#next = Math.max(this.#next, entry[1] + 1)
        if (entry[3] !== undefined) this.#names.add(entry[3])
        this.#waiting[rankOf(entry[2])].set(entry[1], entry[2])
        return
      case 'drop':
        take(entry[1])
        this.#dropped = entry[2]
        return
      case 'batch': {
        const [, seq, numbers] = entry
        this.#seq = seq
        this.#onTheWay = { stream: this.#stream, seq, numbers, records: numbers.flatMap(n => take(n) ?? []) }
        return
      }
      case 'done':
        this.#onTheWay = null
    }
  }

  /** Writes the file anew with what is there now. */
  #compact(): void {
    const onTheWay = this.#onTheWay
    const entries: Entry[] = [
      ['stream', this.#stream, this.#seq - (onTheWay === null ? 0 : 1), this.#dropped],
    ]
    for (const [i, number] of (onTheWay?.numbers ?? []).entries())
      entries.push(['add', number, onTheWay?.records[i] as Record]) // as many as numbers
    if (onTheWay !== null) entries.push(['batch', onTheWay.seq, onTheWay.numbers])
    for (const rank of RANKS)
      for (const [number, record] of this.#waiting[rank]) entries.push(['add', number, record])
    this.#guarded(file => file.rewrite(entries))
  }

  #write(entry: Entry): void {
    this.#guarded(file => file.append(entry))
  }

  #sync(): void {
    this.#guarded(file => file.sync())
  }

  #guarded(work: (file: SpoolFile) => void): void {
    if (this.#file === null || !this.#isKept) return
    try {
      work(this.#file)
    } catch (error) {
      this.#lose(error)
    }
  }

  /**
   * The file can be used no more: everything goes on in memory, under another stream, since its numbers end with the
   * process. The file is taken away where that is possible, or the next start would report again what is reported
   * from here.
   */
  #lose(error: unknown): void {
    this.#isKept = false
    this.#stream = this.#newStream()
    this.#seq = 0
    try {
      this.#file?.remove()
    } catch {
      // On a disk that is read-only it stays.
    }
    this.#options.fault(error)
  }

  #newStream(): string {
    return Buffer.from(this.#options.random.bytes(12)).toString('hex')
  }
}

function rankOf(record: Record): Rank {
  return record.kind === 'log' ? record.row[1] : record.kind
}

function rowsOf(records: readonly Record[]): Pick<Batch, 'clients' | 'traffic' | 'logs'> {
  return {
    clients: records.flatMap(each => (each.kind === 'client' ? [each.row] : [])),
    traffic: records.flatMap(each => (each.kind === 'traffic' ? [each.row] : [])),
    logs: records.flatMap(each => (each.kind === 'log' ? [each.row] : [])),
  }
}

function firstOf<K, V>(map: ReadonlyMap<K, V>, count: number): [K, V][] {
  const first: [K, V][] = []
  for (const entry of map) {
    if (first.length === count) break
    first.push(entry)
  }
  return first
}
