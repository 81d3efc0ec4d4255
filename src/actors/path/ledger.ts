/**
 * The ledger of paths: how each one carries, since when and why, what was tried, and what went over it. Live
 * paths are bounded by the links there are; of ended ones the newest stay, so that an answer is at hand when
 * somebody asks after a path that has just gone.
 */
import type { Clock } from '../../kit/clock.js'
import type { WireOf } from '../../protocol/messages.js'
import type {
  IdentityId,
  LinkId,
  PathAttempt,
  PathEndName,
  PathRecord,
  PathTrial,
  TierBytes,
} from '../ports.js'
import { bytesOf, counted, noBytes, TIERS } from './path-bytes.js'
import {
  type AttemptReport,
  begun,
  closed,
  type Opening,
  outcomeOf,
  punched,
  settled,
  type Settling,
  tried,
} from './path-story.js'

/** Ended paths in memory, a few KB each. */
const ENDED_MAX = 1_000

type Report = Omit<WireOf<'path.report'>, 'type' | 'link'>

export interface PathLedgerOptions {
  readonly clock: Pick<Clock, 'wallMs'>
  readonly endedMax?: number
}

/** A live path. */
interface Entry {
  record: PathRecord
  /** Ends whose counters may begin anew with their next report. */
  readonly fresh: Set<PathEndName>
}

export class PathLedger {
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #endedMax: number
  readonly #live = new Map<LinkId, Entry>()
  /** Live and ended ones of each pair. */
  readonly #pairs = new Map<string, Set<LinkId | PathRecord>>()
  /** Oldest first. */
  readonly #ended = new Set<PathRecord>()
  readonly #attempts = new Map<string, number>()
  readonly #bytes = noBytes()

  constructor({ clock, endedMax = ENDED_MAX }: PathLedgerOptions) {
    this.#clock = clock
    this.#endedMax = endedMax
  }

  /** A path begins. One that an earlier process began goes on. */
  opened(opening: Opening): void {
    const { link, routeId, clientId, nodeId, policy } = opening
    const known = this.#live.get(link)
    if (
      known?.record.routeId === routeId &&
      known.record.clientId === clientId &&
      known.record.nodeId === nodeId
    ) {
      known.record = { ...known.record, policy }
      return
    }
    if (known !== undefined) this.closed(link, 'another path took its link')
    this.#hold(begun(opening, this.#clock.wallMs()))
  }

  /** An end is set up, perhaps again: its counters may have begun anew. */
  ready(link: LinkId, end: PathEndName): void {
    this.#live.get(link)?.fresh.add(end)
  }

  /** The path carries on this tier from now on. `reason` says why not directly. */
  settled(link: LinkId, settling: Settling): void {
    this.#change(link, (record, nowMs) => settled(record, settling, nowMs))
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
      this.#countAttempt(record, next, report.attempt)
      return next
    })
  }

  /** An end said how the path is doing. */
  reported(link: LinkId, end: PathEndName, report: Report): void {
    const entry = this.#live.get(link)
    if (entry === undefined) return
    const { record, fresh } = entry
    const totals = counted(record[end], report, fresh.has(end))
    if (totals === null) return
    fresh.delete(end)
    const { rttMs = null, lossPct = null } = report
    const seen = { ...record[end], ...totals, rttMs, lossPct, reportedAtMs: this.#clock.wallMs() }
    entry.record = { ...record, [end]: seen }
    this.#countBytes(record, entry.record)
  }

  closed(link: LinkId, because: string): void {
    const entry = this.#live.get(link)
    if (entry === undefined) return
    const record = closed(entry.record, because, this.#clock.wallMs())
    this.#live.delete(link)
    const pair = this.#pair(record)
    pair.delete(link)
    pair.add(record)
    this.#ended.add(record)
    if (this.#ended.size > this.#endedMax) this.#forgetOldest()
  }

  /** Returns a live path. */
  of(link: LinkId): PathRecord | undefined {
    return this.#live.get(link)?.record
  }

  /** Returns the paths between two ids, in whichever order they are given: newest first. */
  between(a: IdentityId, b: IdentityId): PathRecord[] {
    const found = [...(this.#pairs.get(pairKey(a, b)) ?? [])]
    return found
      .map(each => (typeof each === 'number' ? this.of(each) : each))
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

  /** Returns what was attempted and carried since the start. */
  totals(): { readonly attempts: ReadonlyMap<string, number>; readonly bytes: Readonly<TierBytes> } {
    return { attempts: this.#attempts, bytes: this.#bytes }
  }

  #hold(record: PathRecord): void {
    this.#live.set(record.link, { record, fresh: new Set(['client', 'node']) })
    this.#pair(record).add(record.link)
  }

  #change(link: LinkId, to: (record: PathRecord, nowMs: number) => PathRecord): void {
    const entry = this.#live.get(link)
    if (entry !== undefined) entry.record = to(entry.record, this.#clock.wallMs())
  }

  #countAttempt(before: PathRecord, after: PathRecord, attempt: number): void {
    const [was, is] = [before, after].map(({ attempts }) => attempts.find(one => one.attempt === attempt))
    if (is === undefined) return
    const count = (outcome: PathTrial['outcome'] | 'lost') => {
      const key = `${is.via} ${outcome}`
      this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1)
    }
    const outcome = outcomeOf(is)
    if (outcome !== null && (was === undefined || outcomeOf(was) === null)) count(outcome)
    if (isLost(is) && (was === undefined || !isLost(was))) count('lost')
  }

  #countBytes(before: PathRecord, after: PathRecord): void {
    const [was, is] = [bytesOf(before), bytesOf(after)]
    for (const tier of TIERS)
      this.#bytes[tier] += is.toNode[tier] - was.toNode[tier] + is.toClient[tier] - was.toClient[tier]
  }

  #pair({ clientId, nodeId }: PathRecord): Set<LinkId | PathRecord> {
    const key = pairKey(clientId, nodeId)
    let pair = this.#pairs.get(key)
    if (pair === undefined) this.#pairs.set(key, (pair = new Set()))
    return pair
  }

  #forgetOldest(): void {
    const [oldest] = this.#ended
    if (oldest === undefined) return
    this.#ended.delete(oldest)
    const pair = this.#pair(oldest)
    pair.delete(oldest)
    if (pair.size === 0) this.#pairs.delete(pairKey(oldest.clientId, oldest.nodeId))
  }
}

const isLost = ({ client, node }: PathAttempt): boolean =>
  (client !== null && client.lost !== null) || (node !== null && node.lost !== null)

/** Ids have no spaces. */
const pairKey = (a: IdentityId, b: IdentityId): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
