/**
 * Makes peers so where WireGuard runs, as the database says that they are to be:
 *
 *   a row is due ─→ leased ─→ apply or remove ═ other side ─→ given back
 *                     ↑                │ failed, or we ended: due again, later
 *                     └────────────────┘ refused: an operator should look
 *
 * Nothing is asked of the other side inside a transaction, and the row is there before the other side hears of it: if the
 * database fails afterwards, the next one finds again by the peer's name what was made, and nothing is left over.
 */
import type { PluginHost } from '../../app/plugin.js'
import type { Entitlements, PeerProvisioner, WantedPeer } from '../ports.js'
import { isRefusal } from './errors.js'
import type { PeerCounts } from './figures.js'
import type { PeerQueue, TakenPeer } from './queue.js'

export interface ReconcilerOptions {
  readonly queue: PeerQueue
  readonly provisioners: readonly PeerProvisioner[]
  readonly entitlements: Pick<Entitlements, 'changed' | 'settled' | 'termsOf'>
  readonly audit: PluginHost['audit']
  readonly counts: PeerCounts
  readonly log: PluginHost['log']
}

/** Peers that are set up at once: each asks the other side, which may be slow. */
const AT_ONCE = 4

export class Reconciler {
  readonly #options: ReconcilerOptions
  /** What is being done, by peer. */
  readonly #working = new Map<number, Promise<void>>()
  /** Takes come one after another, so that whoever finds nothing finds who has it. */
  #taking: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | null = null
  #isWanted = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Sets up what is due. Returns at once. */
  wake(): void {
    this.#isWanted = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#isWanted) this.wake()
    })
  }

  /** Resolves when this peer is set up, if it is due, or could not be. */
  async settle(peerId: number): Promise<void> {
    await this.#take(1, peerId)
    const before = this.#working.get(peerId)
    await before
    // Whoever had it may have begun before the change that is to be settled.
    await this.#take(1, peerId)
    await this.#working.get(peerId)
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    do {
      this.#isWanted = false
      await this.#running
      await Promise.all(this.#working.values())
    } while (this.#running !== null)
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false
      try {
        while (await this.#take(AT_ONCE)) await Promise.all(this.#working.values())
      } catch (error) {
        this.#options.log.debug({ err: error }, 'peers that are due could not be looked for')
      }
    }
  }

  /** Begins with peers that are due; resolves with whether there were any. */
  async #take(limit: number, peerId: number | null = null): Promise<boolean> {
    const taking = this.#taking.then(async () => {
      const taken = await this.#options.queue.take(limit, peerId)
      for (const peer of taken) {
        const work = this.#work(peer).finally(() => this.#working.delete(peer.peer_id))
        this.#working.set(peer.peer_id, work)
      }
      return taken.length > 0
    })
    this.#taking = taking.catch(() => {})
    return await taking
  }

  /** Never rejects: what it could not give back is due again when the lease is over. */
  async #work(peer: TakenPeer): Promise<void> {
    const { queue, log } = this.#options
    try {
      await (peer.removed_at === null ? this.#setUp(peer) : this.#remove(peer))
    } catch (error) {
      const isFinal = isRefusal(error)
      this.#told(peer, error, isFinal)
      await queue
        .failed(peer, messageOf(error), isFinal)
        .catch((problem: unknown) =>
          log.debug({ err: problem, peerId: peer.peer_id }, 'a peer waits for its lease to end'),
        )
    }
  }

  async #setUp(peer: TakenPeer): Promise<void> {
    const { queue, entitlements, counts, audit } = this.#options
    // The mesh asks for its terms as soon as it is there.
    if (peer.applied === null) {
      entitlements.changed(peer.account_id)
      await entitlements.settled()
    }
    const wanted = this.#wanted(peer)
    const found = await this.#provisionerOf(peer).apply(wanted)
    await queue.done(peer, found, wanted.enabled)
    counts.applied++
    // It may have become another while the other side was asked: until now nobody could see that this one is late.
    if (this.#wanted(peer).enabled !== wanted.enabled) {
      await queue.again([peer.peer_id])
      this.wake()
    }
    if (peer.overlay4 === null)
      audit({
        kind: 'peer.set_up',
        actor: 'coordinator',
        subject: peer.identity_id,
        detail: { provisioner: peer.provisioner, overlay4: found.overlay4, overlay6: found.overlay6 },
      })
  }

  async #remove(peer: TakenPeer): Promise<void> {
    await this.#provisionerOf(peer).remove(this.#wanted(peer))
    await this.#options.queue.done(peer, null, false)
    this.#options.counts.removed++
  }

  #wanted(peer: TakenPeer): WantedPeer {
    return {
      peerId: peer.peer_id,
      identityId: peer.identity_id,
      name: peer.name,
      publicKey: peer.public_key,
      overlay4: peer.overlay4,
      overlay6: peer.overlay6,
      externalId: peer.external_id,
      enabled: mayCarry(peer, this.#options.entitlements),
    }
  }

  #provisionerOf({ provisioner }: TakenPeer): PeerProvisioner {
    const found = this.#options.provisioners.find(({ name }) => name === provisioner)
    if (found === undefined) throw new Error(`${provisioner} is not configured here any more`)
    return found
  }

  #told(peer: TakenPeer, error: unknown, isFinal: boolean): void {
    const { log, counts, audit } = this.#options
    const about = { peerId: peer.peer_id, provisioner: peer.provisioner, err: error }
    if (isFinal) {
      counts.refused++
      audit({
        kind: 'peer.refused',
        actor: 'coordinator',
        subject: peer.identity_id,
        detail: { provisioner: peer.provisioner, reason: messageOf(error) },
      })
      log.warn(about, 'a peer was refused where WireGuard runs')
      return
    }
    counts.failed++
    if (peer.attempts === 0) log.warn(about, 'a peer could not be set up; it is tried again')
    else log.debug(about, 'a peer could not be set up')
  }
}

/** Returns whether a peer may carry anything now. */
export function mayCarry(
  peer: Pick<TakenPeer, 'is_active' | 'removed_at' | 'identity_id'>,
  entitlements: Pick<Entitlements, 'termsOf'>,
): boolean {
  if (!peer.is_active || peer.removed_at !== null) return false
  return entitlements.termsOf(peer.identity_id, 'client')?.denial === null
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
