/**
 * Follows both sides of a peer: what it is entitled to here, and what has become of it where WireGuard runs. What differs
 * is due again; what went through it elsewhere is charged.
 */
import type { MeshApi } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import type { Room } from '../../store/rooms.js'
import type { Entitlements, PeerProvisioner } from '../ports.js'
import type { AccessTables } from '../tables.js'
import type { Peer } from './book.js'
import type { PeerCounts } from './figures.js'
import { keyText } from '../wireguard/key.js'
import type { PeerQueue } from './queue.js'
import { mayCarry } from './reconciler.js'

export interface WatchOptions {
  readonly room: Room<AccessTables>
  readonly mesh: Pick<MeshApi, 'identity'>
  readonly queue: Pick<PeerQueue, 'again'>
  readonly provisioners: readonly PeerProvisioner[]
  readonly entitlements: Pick<Entitlements, 'termsOf' | 'charge'>
  readonly audit: PluginHost['audit']
  readonly counts: PeerCounts
  readonly log: PluginHost['log']
  /** Sets up what is due now. */
  readonly wake: () => void
}

/** Rows at a time: others are served in between. */
const PAGE = 500
/** Accounts at a time. */
const ACCOUNTS = 500

/** Peers that are there, by key, and whether each may carry. */
type Present = ReadonlyMap<string, boolean>

export class Watch {
  readonly #options: WatchOptions
  /** Accounts whose entitlement may have become another. */
  readonly #changed = new Set<string>()
  /** Peers that were otherwise at the last look: one that was made since the other side was asked is none of them next time. */
  #missed: ReadonlySet<number> = new Set()

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Takes note of an account whose entitlement may have become another. */
  noteChange(accountId: string): void {
    this.#changed.add(accountId)
  }

  /** Has peers elsewhere follow the entitlements that were noted. The mesh follows by itself. */
  async follow(): Promise<void> {
    const accountIds = [...this.#changed].slice(0, ACCOUNTS)
    if (accountIds.length === 0 || !this.#hasOthers) return this.#changed.clear()
    const rows = await this.#options.room.ask(db =>
      db
        .selectFrom('peers')
        .selectAll()
        .where('account_id', 'in', accountIds)
        .where('provisioner', '!=', 'mesh')
        .where('removed_at', 'is', null)
        .where('applied', 'is not', null)
        .execute(),
    )
    for (const accountId of accountIds) this.#changed.delete(accountId)
    await this.#setUpAgain(rows.filter(peer => peer.applied !== mayCarry(peer, this.#options.entitlements)))
    if (this.#changed.size > 0) await this.follow()
  }

  /** Charges what peers have moved elsewhere. */
  async charge(): Promise<void> {
    const { provisioners, entitlements } = this.#options
    const usages = new Map<string, ReadonlyMap<string, number>>()
    for (const provisioner of provisioners) {
      const usage = await this.#asked(provisioner, provisioner.usage?.bind(provisioner))
      if (usage !== null) usages.set(provisioner.name, usage)
    }
    if (usages.size === 0) return
    for await (const peers of this.#pages())
      for (const peer of peers) {
        const bytes = usages.get(peer.provisioner)?.get(keyOf(peer))
        if (bytes !== undefined)
          entitlements.charge(`${peer.provisioner} ${peer.identity_id}`, peer.peer_id, bytes)
      }
  }

  /** Has everything made again that is otherwise than it should be, or gone, and takes away what belongs to no peer. */
  async look(): Promise<void> {
    const { provisioners, entitlements } = this.#options
    const present = new Map<string, Present>()
    for (const provisioner of provisioners) {
      const tidied = (await this.#asked(provisioner, provisioner.tidy?.bind(provisioner))) ?? 0
      if (tidied > 0) this.#tidied(provisioner, tidied)
      const found = await this.#asked(provisioner, provisioner.present?.bind(provisioner))
      if (found !== null) present.set(provisioner.name, found)
    }
    const missed = new Set<number>()
    for await (const peers of this.#pages()) {
      const missing = peers.filter(peer => this.#isMissing(peer, present.get(peer.provisioner)))
      const gone = missing.filter(({ peer_id }) => this.#missed.has(peer_id))
      for (const { peer_id } of missing) missed.add(peer_id)
      for (const peer of gone) this.#told(peer)
      const late = peers.filter(
        peer => peer.provisioner !== 'mesh' && peer.applied !== mayCarry(peer, entitlements),
      )
      await this.#setUpAgain([...new Set([...gone, ...late])])
    }
    this.#missed = missed
  }

  /** Resolves with what a provisioner says; null: it does not now. */
  async #asked<T>({ name }: PeerProvisioner, ask: (() => Promise<T>) | undefined): Promise<T | null> {
    try {
      return ask === undefined ? null : await ask()
    } catch (error) {
      this.#options.log.debug({ err: error, provisioner: name }, 'where peers are cannot be asked now')
      return null
    }
  }

  #told({ peer_id, identity_id, provisioner }: Peer): void {
    const { audit, counts, log } = this.#options
    counts.repaired++
    audit({ kind: 'peer.repaired', actor: 'coordinator', subject: identity_id, detail: { provisioner } })
    log.warn({ peerId: peer_id, provisioner }, 'a peer was changed where WireGuard runs; it is set up again')
  }

  #tidied({ name }: PeerProvisioner, count: number): void {
    const { audit, log } = this.#options
    audit({ kind: 'peer.tidied', actor: 'coordinator', subject: name, detail: { count } })
    log.warn({ provisioner: name, count }, 'what belongs to no peer was taken away where WireGuard runs')
  }

  get #hasOthers(): boolean {
    return this.#options.provisioners.some(({ name }) => name !== 'mesh')
  }

  /** Yields the peers that are as they should be, as far as is known. */
  async *#pages(): AsyncGenerator<readonly Peer[]> {
    for (let after = 0; ; ) {
      const rows = await this.#options.room.ask(db =>
        db
          .selectFrom('peers')
          .selectAll()
          .where('removed_at', 'is', null)
          .where('due_at', 'is', null)
          .where('overlay4', 'is not', null)
          .where('peer_id', '>', after)
          .orderBy('peer_id')
          .limit(PAGE)
          .execute(),
      )
      if (rows.length > 0) yield rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      after = last.peer_id
    }
  }

  /** `present`: what its provisioner says; undefined: nothing. */
  #isMissing(peer: Peer, present: Present | undefined): boolean {
    if (peer.provisioner === 'mesh') return this.#options.mesh.identity(peer.identity_id) === null
    if (present === undefined) return false
    const carries = present.get(keyOf(peer)) ?? false
    // One that may not carry may be kept so by not being there.
    return peer.applied === true ? !carries : carries
  }

  async #setUpAgain(peers: readonly Peer[]): Promise<void> {
    if (peers.length === 0) return
    await this.#options.queue.again(peers.map(({ peer_id }) => peer_id))
    this.#options.wake()
  }
}

const keyOf = ({ public_key }: Peer): string => (public_key === null ? '' : keyText(public_key))
