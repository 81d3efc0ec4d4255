/**
 * The ledger of paths: how each one carries, since when and why, what was tried, and what went over it.
 *
 *   opened ─► ready, settled, signalled, punched, attempted, reported … ─► closed
 *
 * Live paths are bounded by the links there are; of ended ones the newest stay in memory, all go to the store.
 */
import type { Clock } from '../../kit/clock.js'
import type { WireOf } from '../../protocol/messages.js'
import type { IdentityId, LinkId, PathAttempt, PathEndName, PathRecord } from '../ports.js'
import { EndedPaths } from './ended-paths.js'
import { counted, hasBegunAnew, hasGrown } from './path-bytes.js'
import {
  type AttemptReport,
  begun,
  closed,
  type Opening,
  punched,
  settled,
  type Settling,
  tried,
} from './path-story.js'
import { PathTotals } from './path-totals.js'

/** Ended paths in memory, a few KB each. */
const ENDED_MAX = 1_000
/** How soon an attempt, or a new reason, is written, ms: as many as an agent likes to report cost one write. */
const STORY_EVERY_MS = 5_000
/**
 * How often a path is written for its counters alone, ms. A crash loses nothing by it: the agents' counters go
 * on, and what they grew by since the last write is found when they report again.
 */
const COUNTERS_EVERY_MS = 300_000

type Report = Omit<WireOf<'path.report'>, 'type' | 'link'>

export interface PathLedgerOptions {
  readonly clock: Pick<Clock, 'now' | 'wallMs'>
  /** Makes a record durable. */
  readonly keep: (record: PathRecord) => void
  /** Hears of a path when more has gone over it, and when it ends. */
  readonly grown?: (record: PathRecord) => void
  readonly endedMax?: number
}

/** A live path. */
interface Entry {
  record: PathRecord
  /** Ends whose counters may begin anew with their next report. */
  readonly fresh: Set<PathEndName>
  /** What the store does not have. */
  unkept: 'nothing' | 'counters' | 'story'
  keptMs: number
  /** Whether the store, or the journal, has it at all. */
  isKnown: boolean
}

export class PathLedger {
  readonly totals = new PathTotals()
  readonly #options: PathLedgerOptions
  readonly #live = new Map<LinkId, Entry>()
  /** Live ones of each identity. */
  readonly #linksOf = new Map<IdentityId, Set<LinkId>>()
  /** Of an earlier process, until their routes are brought back. */
  readonly #restored = new Map<LinkId, PathRecord>()
  readonly #ended: EndedPaths

  constructor(options: PathLedgerOptions) {
    this.#options = options
    this.#ended = new EndedPaths(options.endedMax ?? ENDED_MAX)
  }

  /** Takes in the live paths of an earlier process: each goes on when it is opened again, by the same link and route. */
  restore(records: Iterable<PathRecord>): void {
    for (const record of records) {
      const older = this.#restored.get(record.link)
      if (older !== undefined) this.#end(older, 'another path took its link')
      this.#restored.set(record.link, record)
    }
  }

  /** Ends the restored paths that were not opened again. */
  closeRestored(because: string): void {
    for (const record of this.#restored.values()) this.#end(record, because)
    this.#restored.clear()
  }

  /** A path begins. */
  opened(opening: Opening): void {
    const { link, policy } = opening
    const live = this.#live.get(link)
    // The same path by another policy: what its ends have counted goes on.
    if (live !== undefined && isOf(live.record, opening))
      return this.#change(link, record => ({ ...record, policy }))
    if (live !== undefined) this.closed(link, 'another path took its link')
    const before = this.#restored.get(link)
    const goesOn = before !== undefined && isOf(before, opening)
    if (goesOn) this.#restored.delete(link)
    const { clock } = this.#options
    this.#live.set(link, {
      record: goesOn ? { ...before, policy } : begun(opening, clock.wallMs()),
      fresh: new Set(['client', 'node']),
      unkept: 'nothing',
      keptMs: clock.now(),
      isKnown: goesOn,
    })
    for (const id of [opening.clientId, opening.nodeId]) {
      const links = this.#linksOf.get(id)
      if (links === undefined) this.#linksOf.set(id, new Set([link]))
      else links.add(link)
    }
  }

  /** An end is set up, perhaps again: its counters may have begun anew. */
  ready(link: LinkId, end: PathEndName): void {
    this.#live.get(link)?.fresh.add(end)
  }

  /** The path carries on this tier from now on. `reason` says why not directly. */
  settled(link: LinkId, settling: Settling): void {
    const entry = this.#live.get(link)
    if (entry === undefined) return
    const before = entry.record
    this.#change(link, (record, nowMs) => settled(record, settling, nowMs))
    // A change of tier is kept at once. The first one is not: most of what there is to say, the route says.
    const hasMoved = entry.record.history !== before.history && before.tier !== 'opening'
    if (hasMoved && entry.unkept === 'story') this.#keep(entry)
  }

  /** An end said where it may be reached. */
  signalled(link: LinkId, end: PathEndName, candidates: readonly string[]): void {
    this.#change(link, record => ({ ...record, [end]: { ...record[end], candidates } }))
  }

  /** Both ends were asked to leave the relay. */
  punched(link: LinkId, attempt: Pick<PathAttempt, 'attempt' | 'via'>): void {
    this.#change(link, (record, nowMs) => punched(record, attempt, nowMs))
  }

  /** An end said how an attempt went, or that what it had won is gone. */
  attempted(link: LinkId, end: PathEndName, report: AttemptReport): void {
    this.#change(link, (record, nowMs) => {
      const next = tried(record, end, report, nowMs)
      this.totals.countAttempt(record, next, report.attempt)
      return next
    })
  }

  /** An end said how the path is doing. */
  reported(link: LinkId, end: PathEndName, report: Report): void {
    const entry = this.#live.get(link)
    if (entry === undefined) return
    const { record, fresh } = entry
    const totals = counted(record[end], report, fresh.has(end))
    fresh.delete(end)
    const { rttMs = null, lossPct = null } = report
    const seen = { ...record[end], ...totals, rttMs, lossPct, reportedAtMs: this.#options.clock.wallMs() }
    entry.record = { ...record, [end]: seen }
    this.totals.countBytes(record, entry.record)
    if (hasGrown(record[end], totals)) this.#options.grown?.(entry.record)
    if (entry.unkept === 'nothing') entry.unkept = 'counters'
    // Bytes are of this path for ever: after a crash it must be the same one, and what an agent had counted before
    // it began anew is known to nobody else.
    if (!entry.isKnown || hasBegunAnew(record[end], totals)) this.#keep(entry)
    else this.#keepWhenDue(entry)
  }

  closed(link: LinkId, because: string): void {
    const record = this.of(link)
    if (record === undefined) return
    this.#live.delete(link)
    for (const id of [record.clientId, record.nodeId]) {
      const links = this.#linksOf.get(id)
      links?.delete(link)
      if (links?.size === 0) this.#linksOf.delete(id)
    }
    this.#end(record, because)
  }

  /** Makes everything durable that is not yet: the process is about to stop. */
  flush(): void {
    for (const entry of this.#live.values()) if (entry.unkept !== 'nothing') this.#keep(entry)
  }

  /** Returns a live path. */
  of(link: LinkId): PathRecord | undefined {
    return this.#live.get(link)?.record
  }

  /** Returns the paths between two ids that memory holds, in whichever order they are given: newest first. */
  between(a: IdentityId, b: IdentityId): PathRecord[] {
    const [mine, theirs] = [this.#linksOf.get(a), this.#linksOf.get(b)]
    const live = [...(mine ?? [])].filter(link => theirs?.has(link) === true).map(link => this.of(link))
    return [...live, ...this.#ended.between(a, b)]
      .filter(record => record !== undefined)
      .toSorted((one, other) => other.openedAtMs - one.openedAtMs)
  }

  /** Yields every live path. */
  *all(): Generator<PathRecord> {
    for (const { record } of this.#live.values()) yield record
  }

  /** Returns the number of the last attempt of a path, 0 when there was none. */
  lastAttempt(link: LinkId): number {
    return this.of(link)?.attempts.at(-1)?.attempt ?? 0
  }

  #change(link: LinkId, to: (record: PathRecord, nowMs: number) => PathRecord): void {
    const entry = this.#live.get(link)
    if (entry === undefined) return
    const record = to(entry.record, this.#options.clock.wallMs())
    if (record === entry.record) return
    entry.record = record
    entry.unkept = 'story'
    this.#keepWhenDue(entry)
  }

  #keepWhenDue(entry: Entry): void {
    const afterMs = entry.unkept === 'story' ? STORY_EVERY_MS : COUNTERS_EVERY_MS
    if (this.#options.clock.now() - entry.keptMs >= afterMs) this.#keep(entry)
  }

  #keep(entry: Entry): void {
    entry.unkept = 'nothing'
    entry.keptMs = this.#options.clock.now()
    entry.isKnown = true
    this.#options.keep(entry.record)
  }

  #end(record: PathRecord, because: string): void {
    const ended = closed(record, because, this.#options.clock.wallMs())
    this.#ended.add(ended)
    this.#options.keep(ended)
    this.#options.grown?.(ended)
  }
}

const isOf = (record: PathRecord, { routeId, clientId, nodeId }: Opening): boolean =>
  record.routeId === routeId && record.clientId === clientId && record.nodeId === nodeId
