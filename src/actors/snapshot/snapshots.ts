/**
 * What changed since the last write. Each change goes to the journal before anyone hears of it, and to the
 * store soon after, in bulk: the newest value of a key only, so that what waits for an absent store is
 * bounded by what is alive.
 */
import { type Actor, createActor } from 'xstate'
import { backoffMs } from '../../kit/backoff.js'
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { AuditEvent, Change, Journal, Store } from '../ports.js'
import { Dirty } from './dirty.js'
import { snapshotMachine } from './snapshot.machine.js'

/** Where effects put what must be durable. */
export interface Changes {
  touch(change: Change): void
  audit(event: Omit<AuditEvent, 'auditId' | 'atMs'>): void
}

export interface SnapshotsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly journal: Journal
  /** Pause between writes, ms. */
  readonly everyMs: number
  readonly warn: (fields: object, message: string) => void
  /** Hears of every line of the audit. */
  readonly audited: (event: AuditEvent) => void
}

/** How often an idle mesh writes nothing, ms. */
const IDLE_WRITE_MS = 600_000
/** First and longest ceiling of the pause after a failed write, ms. */
const REST = { firstMs: 500, maxMs: 10_000 }

export class Snapshots implements Changes {
  written = 0
  failures = 0
  journalFailures = 0
  lastWriteMs: number | null = null

  readonly #options: SnapshotsOptions
  readonly #actor
  #dirty = new Dirty()
  /** History that an absent store has cost so far. */
  #lost = 0
  #writtenMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #writing: Promise<boolean> | null = null

  constructor(options: SnapshotsOptions) {
    this.#options = options
    this.#actor = createActor(
      snapshotMachine.provide({
        actions: {
          pause: () => this.#wake(options.everyMs),
          rest: (_, { failures }) => this.#wake(backoffMs(failures, options.random, REST)),
          write: () => void this.#write(),
        },
      }),
    )
  }

  start(): void {
    this.#actor.start()
  }

  get actor(): Actor<typeof snapshotMachine> {
    return this.#actor
  }

  get state(): string {
    return this.#actor.getSnapshot().value
  }

  get dirty(): number {
    return this.#dirty.size
  }

  /** Ended sessions, routes and paths, and audit events, that could not wait for an absent store. */
  get lost(): number {
    return this.#lost + this.#dirty.lost
  }

  touch(change: Change): void {
    try {
      this.#options.journal.append(change)
    } catch (error) {
      // The store still gets it with the next write; only a kill before then would lose it.
      if (this.journalFailures++ === 0) this.#options.warn({ err: error }, 'the journal cannot be written')
    }
    this.#dirty.add(change)
  }

  audit(event: Omit<AuditEvent, 'auditId' | 'atMs'>): void {
    const auditId = Buffer.from(this.#options.random.bytes(12)).toString('base64url')
    const value = { ...event, auditId, atMs: this.#options.clock.wallMs() }
    this.touch({ kind: 'audit', key: auditId, value })
    this.#options.audited(value)
  }

  /** Writes what is left, a few times if need be; resolves false when the store would not take it. */
  async flush(): Promise<boolean> {
    this.#options.clock.clearTimeout(this.#timer)
    for (let attempt = 0; attempt < 3; attempt++) {
      await this.#writing
      if (this.#dirty.size === 0) return true
      await this.#write()
    }
    return this.#dirty.size === 0
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer)
    this.#actor.stop()
  }

  #wake(inMs: number): void {
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = this.#options.clock.setTimeout(() => this.#actor.send({ type: 'due' }), inMs)
  }

  #write(): Promise<boolean> {
    this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #writeOnce(): Promise<boolean> {
    const { clock, store, journal, warn } = this.#options
    const startedMs = clock.now()
    // Now and then an empty write gives the store the occasion to prune.
    if (this.#dirty.size === 0 && startedMs - this.#writtenMs < IDLE_WRITE_MS) {
      this.#actor.send({ type: 'written' })
      return true
    }
    const taken = this.#dirty
    this.#dirty = new Dirty()
    const changes = taken.changes()
    try {
      const mark = journal.rotate()
      await store.write(changes)
      journal.drop(mark)
    } catch (error) {
      if (this.failures++ === 0 || this.state !== 'backingOff')
        warn({ err: error, rows: changes.length }, 'the snapshot was not written')
      this.#takeBack(taken)
      this.#actor.send({ type: 'failed' })
      return false
    }
    this.#lost += taken.lost
    this.written += changes.length
    this.#writtenMs = clock.now()
    this.lastWriteMs = this.#writtenMs - startedMs
    this.#actor.send({ type: 'written' })
    return true
  }

  /** What changed meanwhile is newer than what could not be written. */
  #takeBack(taken: Dirty): void {
    const newer = this.#dirty
    for (const change of newer.changes()) taken.add(change)
    taken.lost += newer.lost
    this.#dirty = taken
  }
}
