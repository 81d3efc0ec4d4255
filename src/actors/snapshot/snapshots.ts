/**
 * What changed since the last write. Each change goes to the journal before anyone hears of it, and to the
 * store soon after, in bulk: the newest value of a key only, so that what waits for an absent store is
 * bounded by what is alive.
 */
import { createActor } from 'xstate'
import { backoffMs } from '../../kit/backoff.js'
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { AuditEvent, Change, Journal, Store } from '../ports.js'
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
}

/** Audit events that wait for an absent store at most; the oldest go, and are counted. */
const AUDITS_MAX = 10_000
/** First and longest ceiling of the pause after a failed write, ms. */
const REST = { firstMs: 500, maxMs: 10_000 }

export class Snapshots implements Changes {
  written = 0
  failures = 0
  auditsLost = 0
  journalFailures = 0
  lastWriteMs: number | null = null

  readonly #options: SnapshotsOptions
  readonly #actor
  #dirty = new Map<string, Change>()
  #audits = 0
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

  get state(): string {
    return this.#actor.getSnapshot().value
  }

  get dirty(): number {
    return this.#dirty.size
  }

  touch(change: Change): void {
    try {
      this.#options.journal.append(change)
    } catch (error) {
      // The store still gets it with the next write; only a kill before then would lose it.
      if (this.journalFailures++ === 0) this.#options.warn({ err: error }, 'the journal cannot be written')
    }
    this.#remember(change)
  }

  audit(event: Omit<AuditEvent, 'auditId' | 'atMs'>): void {
    const auditId = Buffer.from(this.#options.random.bytes(12)).toString('base64url')
    this.touch({
      kind: 'audit',
      key: auditId,
      value: { ...event, auditId, atMs: this.#options.clock.wallMs() },
    })
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

  #remember(change: Change): void {
    const key = `${change.kind} ${change.key}`
    if (change.kind === 'audit' && !this.#dirty.has(key) && ++this.#audits > AUDITS_MAX)
      this.#dropOldestAudit()
    this.#dirty.set(key, change)
  }

  #dropOldestAudit(): void {
    for (const [key, change] of this.#dirty) {
      if (change.kind !== 'audit') continue
      this.#dirty.delete(key)
      this.#audits--
      this.auditsLost++
      return
    }
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
    if (this.#dirty.size === 0) {
      this.#actor.send({ type: 'written' })
      return true
    }
    const taken = this.#dirty
    const taking = this.#audits
    this.#dirty = new Map()
    this.#audits = 0
    const startedMs = clock.now()
    try {
      const mark = journal.rotate()
      await store.write([...taken.values()])
      journal.drop(mark)
      this.written += taken.size
      this.lastWriteMs = clock.now() - startedMs
      this.#actor.send({ type: 'written' })
      return true
    } catch (error) {
      if (this.failures++ === 0 || this.state !== 'backingOff')
        warn({ err: error, rows: taken.size }, 'the snapshot was not written')
      // What changed meanwhile is newer than what could not be written.
      const newer = this.#dirty
      this.#dirty = taken
      this.#audits = taking
      for (const change of newer.values()) this.#remember(change)
      this.#actor.send({ type: 'failed' })
      return false
    }
  }
}
