/**
 * Keeps what everyone is entitled to true: reads what was changed, looks for what others have changed, charges traffic, and
 * writes down what was charged. One piece of it at a time, so that nothing read is older than what is known.
 *
 *   changed ─→ read ─┐
 *   look ─→ pages ───┼─→ roll ─→ who lives follows
 *   traffic ─→ sources ─→ charged ─┘ ═ database
 */
import type { MeshApi, PathTraffic } from '../../actors/ports.js'
import type { Log } from '../../app/mesh.js'
import { type Clock, every } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Entitlement, Entitlements } from '../ports.js'
import type { AccessTables } from '../tables.js'
import { charge } from './charging.js'
import type { Holding } from './holding.js'
import { type Found, type Page, readPage, readSome } from './reading.js'
import { Roll } from './roll.js'
import { Sources } from './sources.js'
import { TIMING } from './timing.js'

export interface EntitlementBookOptions {
  readonly room: Room<AccessTables>
  readonly clock: Clock
  readonly log: Log
  readonly mesh: Pick<MeshApi, 'serverId' | 'stats' | 'onTraffic' | 'trafficNow' | 'endedTraffic'>
  /** Hears of identities whose terms are others than before. */
  readonly termsChanged: (identityId: string) => void
  /** Hears when an entitlement that was known becomes another. */
  readonly turned: (holding: Holding, now: Entitlement, before: Entitlement) => void
}

/** Accounts that are read, and sources that are written, at once: a few milliseconds, and others may ask in between. */
const PAGE = 1_000
/** Peers that are measured at a time: some 3 ms where all of them are here. With more than four times as many, each waits longer. */
const MEASURED_PER_TICK = 1_000
/** Wall clocks are set: how much earlier than the mark a path may have ended that was not heard of, ms. */
const MARGIN_MS = 60_000

export class EntitlementBook implements Entitlements {
  readonly #options: EntitlementBookOptions
  readonly #roll: Roll
  readonly #sources = new Sources()
  readonly #hearers = new Set<(accountId: string) => void>()
  readonly #stops: (() => void)[] = []
  #changed = new Set<string>()
  #busy: Promise<void> = Promise.resolve()
  #isBusy = false
  #isAway = false
  /** When each is done again, by the monotonic clock, ms. */
  #urgentMs = 0
  #chargeMs = 0
  #lookMs = 0
  #tidyMs = 0
  #measureMs = 0
  /** Those that are still to be measured this time. */
  #limited: Iterator<string, void>
  /** When everything was last written, by the same clock. */
  #savedMs: number
  /** When the process before us charged last, ms since 1970 UTC; null: we have taken in what it has left. */
  #sinceMs: number | null = null
  chargedBytes = 0

  constructor(options: EntitlementBookOptions) {
    this.#options = options
    const { clock, termsChanged, turned } = options
    this.#savedMs = clock.now()
    this.#roll = new Roll({
      nowMs: () => clock.wallMs(),
      termsChanged,
      changed: (holding, now, before) => {
        if (before !== null && before.state !== now.state) turned(holding, now, before)
        for (const hear of this.#hearers) hear(holding.accountId)
      },
    })
    this.#limited = this.#roll.limited()
  }

  /** Resolves when everyone is known, and listens from then on. */
  async start(): Promise<void> {
    const { mesh, clock, room } = this.#options
    await this.#look()
    const now = new Date(clock.wallMs())
    // The first process of all begins here, even if it is killed before it has charged anything.
    const { charged_at } = await room.ask(db =>
      db
        .insertInto('usage_marks')
        .values({ server_id: mesh.serverId, charged_at: now })
        .onConflict(q => q.column('server_id').doUpdateSet({ server_id: mesh.serverId }))
        .returning('charged_at')
        .executeTakeFirstOrThrow(),
    )
    this.#sinceMs = charged_at.getTime()
    this.#lookMs = clock.now() + TIMING.lookMs
    this.#stops.push(
      mesh.onTraffic(traffic => this.#heard(traffic)),
      every(clock, TIMING.tickMs, () => this.#tick()),
    )
  }

  readonly termsOf: Entitlements['termsOf'] = (id, role) => this.#roll.termsOf(id, role)

  of(accountId: string): Entitlement {
    return this.#roll.of(accountId)
  }

  /** Returns what an account holds; undefined: it never had anything. */
  holding(accountId: string): Holding | undefined {
    return this.#roll.holding(accountId)
  }

  describe(id: string): ReturnType<Roll['describe']> {
    return this.#roll.describe(id)
  }

  get counts(): Roll['counts'] {
    return this.#roll.counts
  }

  /** Sources of which something waits to be written. */
  get unsaved(): number {
    return this.#sources.unsaved
  }

  /** How long the oldest of it may have been waiting, ms. */
  get behindMs(): number {
    return this.unsaved === 0 ? 0 : this.#options.clock.now() - this.#savedMs
  }

  changed(accountId: string): void {
    this.#changed.add(accountId)
    this.#inTurn(() => this.#reread())
  }

  async settled(): Promise<void> {
    await this.#busy
  }

  onChange(hear: (accountId: string) => void): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  charge(source: string, peerId: number, totalBytes: number): void {
    this.#tell(source, peerId, totalBytes, null)
  }

  /** Writes what is charged, and listens no more. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
    this.#inTurn(() => this.#save(false))
    await this.#busy
  }

  #heard({ pathId, clientId, bytes: { toNode, toClient }, closedAtMs }: PathTraffic): void {
    let totalBytes = 0
    for (const tier of ['relayed', 'turned', 'direct'] as const) totalBytes += toNode[tier] + toClient[tier]
    this.#tell(`path ${pathId}`, clientId, totalBytes, closedAtMs)
  }

  #tell(source: string, peer: number | string, totalBytes: number, endedAtMs: number | null): void {
    const owner = this.#roll.ownerOf(peer)
    if (owner === undefined) return
    const bytes = this.#sources.tell({ source, ...owner, totalBytes, endedAtMs })
    this.#roll.use(owner.accountId, bytes)
  }

  #tick(): void {
    this.#roll.tick()
    const now = this.#options.clock.now()
    if (now >= this.#measureMs) this.#measure(now)
    if (this.#isBusy) return
    if (now >= this.#lookMs) {
      this.#lookMs = now + TIMING.lookMs
      this.#roll.sweep()
      // Nobody else works on an embedded database.
      if (this.#options.room.kind === 'postgres') this.#inTurn(() => this.#look())
    }
    if (now >= this.#tidyMs) {
      this.#tidyMs = now + TIMING.tidyMs
      this.#inTurn(() => this.#tidy())
    }
    if (now >= this.#chargeMs) {
      this.#chargeMs = now + TIMING.chargeMs
      this.#inTurn(() => this.#save(false))
    } else if (now >= this.#urgentMs && (this.#sources.areUnknown || this.#changed.size > 0)) {
      this.#urgentMs = now + TIMING.urgentMs
      this.#inTurn(() => this.#reread())
      this.#inTurn(() => this.#save(true))
    }
  }

  /** What goes over the relay counts for those who have a limit before their agents tell of it. */
  #measure(now: number): void {
    for (let left = MEASURED_PER_TICK; left > 0; left--) {
      const next = this.#limited.next()
      if (next.done === true) {
        this.#limited = this.#roll.limited()
        this.#measureMs = now + TIMING.measureMs
        return
      }
      for (const traffic of this.#options.mesh.trafficNow(next.value)) this.#heard(traffic)
    }
  }

  /** Does this when what is being done is; `work` resolves with whether the database was asked, and answered. */
  #inTurn(work: () => Promise<boolean>): void {
    this.#isBusy = true
    const mine = this.#busy.then(work).then(
      hasAnswered => {
        if (hasAnswered) this.#isAway = false
      },
      (error: unknown) => {
        if (!this.#isAway)
          this.#options.log.warn({ err: error }, 'entitlements wait for the database; what is known holds')
        this.#isAway = true
      },
    )
    this.#busy = mine
    void mine.then(() => {
      if (this.#busy === mine) this.#isBusy = false
    })
  }

  async #reread(): Promise<boolean> {
    const isAsked = this.#changed.size > 0
    while (this.#changed.size > 0) {
      const accountIds = [...this.#changed].slice(0, PAGE)
      for (const accountId of accountIds) this.#changed.delete(accountId)
      try {
        this.#take(accountIds, await readSome(this.#options.room, accountIds, this.#nowMs()))
      } catch (error) {
        for (const accountId of accountIds) this.#changed.add(accountId)
        throw error
      }
    }
    return isAsked
  }

  /** Reads everyone, page by page. */
  async #look(): Promise<boolean> {
    const known = [...this.#roll.accountIds]
    const seen = new Set<string>()
    for (let after: string | null = ''; after !== null; ) {
      const page: Page = await readPage(this.#options.room, after, PAGE, this.#nowMs())
      for (const found of page.found) {
        seen.add(found.holding.accountId)
        this.#roll.put(found)
      }
      after = page.next
    }
    for (const accountId of known) if (!seen.has(accountId)) this.#roll.drop(accountId)
    return true
  }

  #take(accountIds: readonly string[], found: readonly Found[]): void {
    const missing = new Set(accountIds)
    for (const each of found) {
      missing.delete(each.holding.accountId)
      this.#roll.put(each)
    }
    for (const accountId of missing) this.#roll.drop(accountId)
  }

  /** Charges what was heard: all of it, or only what cannot act before the database has said what it knows of it. */
  async #save(onlyUnknown: boolean): Promise<boolean> {
    const beganMs = this.#nowMs()
    const savingMs = this.#options.clock.now()
    if (!onlyUnknown) await this.#catchUp()
    let hasSaved = false
    for (;;) {
      const sources = this.#sources.next(PAGE, onlyUnknown)
      if (sources.length === 0) break
      const { chargedBytes, used, bytes } = await this.#options.room.transact(tx =>
        charge(tx, sources, this.#nowMs()),
      )
      hasSaved = true
      this.chargedBytes += bytes
      const pending = new Map<string, number>()
      for (const [i, source] of sources.entries()) {
        const more = this.#sources.saved(source, chargedBytes[i] ?? 0)
        pending.set(source.accountId, (pending.get(source.accountId) ?? 0) + more)
      }
      for (const [accountId, more] of pending)
        if (!this.#roll.stored(accountId, more, used.get(accountId))) this.changed(accountId)
      if (sources.length < PAGE) break
    }
    if (onlyUnknown) return hasSaved
    if (hasSaved) await this.#mark(beganMs)
    this.#savedMs = savingMs
    return hasSaved
  }

  /** Takes in what ended uncharged before this process, once the mesh has stored what it found of it. */
  async #catchUp(): Promise<void> {
    const { mesh } = this.#options
    if (this.#sinceMs === null || mesh.stats().snapshot.state === 'backingOff') return
    let after: PathTraffic | null = null
    for (;;) {
      const ended: readonly PathTraffic[] = await mesh.endedTraffic(this.#sinceMs - MARGIN_MS, after, PAGE)
      for (const traffic of ended) this.#heard(traffic)
      after = ended.at(-1) ?? null
      if (ended.length < PAGE) break
    }
    this.#sinceMs = null
  }

  /** Everything that ended before this moment is charged. */
  async #mark(atMs: number): Promise<void> {
    const { room, mesh } = this.#options
    if (this.#sinceMs !== null) return
    await room.ask(db =>
      db
        .updateTable('usage_marks')
        .set({ charged_at: new Date(atMs) })
        .where('server_id', '=', mesh.serverId)
        .execute(),
    )
  }

  async #tidy(): Promise<boolean> {
    const since = new Date(this.#nowMs() - TIMING.keptMs)
    await this.#options.room.ask(db => db.deleteFrom('peer_usage').where('ended_at', '<', since).execute())
    return true
  }

  #nowMs(): number {
    return this.#options.clock.wallMs()
  }
}
