/**
 * Peers that are to be set up, as the database has them: each is taken by one at a time, for a while. What was changed
 * meanwhile is still due when the one who took it is done.
 */
import { sql, type Updateable } from 'kysely'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { ProvisionedPeer } from '../ports.js'
import type { AccessTables } from '../tables.js'
import type { Peer } from './book.js'
import type { Secrets } from './secrets.js'
import { TIMING } from './timing.js'

export interface QueueOptions {
  readonly room: Room<AccessTables>
  readonly clock: Clock
  readonly secrets: Secrets
}

/** Whose turn it is; nobody else has it until it is given back, or the lease is over. */
export type TakenPeer = Peer & { readonly leased_until: Date }

const NO_SECRETS = { private_key: null, preshared_key: null }

/** What is kept of an error, characters. */
const ERROR_MAX = 256

export class PeerQueue {
  readonly #options: QueueOptions

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Resolves with peers that are due, or with this one if it is. */
  async take(limit: number, peerId: number | null = null): Promise<readonly TakenPeer[]> {
    const { room, clock } = this.#options
    const nowMs = clock.wallMs()
    const now = new Date(nowMs)
    const taken = await room.ask(db =>
      db
        .updateTable('peers')
        .set({ leased_until: new Date(nowMs + TIMING.leaseMs) })
        .where('peer_id', 'in', due =>
          due
            .selectFrom('peers')
            .select('peer_id')
            .where('due_at', '<=', now)
            .where(eb => eb.or([eb('leased_until', 'is', null), eb('leased_until', '<=', now)]))
            .$if(peerId !== null, q => q.where('peer_id', '=', peerId ?? 0))
            .orderBy('due_at')
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .execute(),
    )
    return taken as readonly TakenPeer[] // just leased
  }

  /** It is as it was to be when it was taken. `null`: it is gone. */
  async done(peer: TakenPeer, found: ProvisionedPeer | null, applied: boolean): Promise<void> {
    const columns = found === null ? NO_SECRETS : this.#columnsOf(peer, found)
    await this.#giveBack(peer, { ...columns, applied, error: null, attempts: 0 })
  }

  /** It could not be set up, and is tried again later; or never, when it was refused. */
  async failed(peer: TakenPeer, error: string, isFinal: boolean): Promise<void> {
    const restMs = Math.min(TIMING.retryMaxMs, TIMING.retryFromMs * 2 ** Math.min(peer.attempts, 30))
    const later = new Date(this.#options.clock.wallMs() + restMs)
    await this.#giveBack(
      peer,
      { error: error.slice(0, ERROR_MAX), attempts: peer.attempts + 1 },
      isFinal ? null : later,
    )
  }

  /** Has these be set up again. */
  async again(peerIds: readonly number[]): Promise<void> {
    if (peerIds.length === 0) return
    const { room, clock } = this.#options
    await room.ask(db =>
      db
        .updateTable('peers')
        .set(({ eb }) => ({ revision: eb('revision', '+', 1), due_at: new Date(clock.wallMs()) }))
        .where('peer_id', 'in', [...peerIds])
        .execute(),
    )
  }

  #columnsOf(peer: Peer, found: ProvisionedPeer) {
    const { secrets } = this.#options
    const owner = { account_id: peer.account_id, public_key: found.publicKey }
    const { privateKey, presharedKey, overlay4, overlay6, externalId } = found
    return {
      public_key: found.publicKey,
      overlay4,
      overlay6,
      external_id: externalId,
      // What is not told again stays.
      ...(privateKey !== null && { private_key: secrets.seal('private', owner, privateKey) }),
      ...(presharedKey !== null && { preshared_key: secrets.seal('preshared', owner, presharedKey) }),
    }
  }

  async #giveBack(
    { peer_id, leased_until, revision }: TakenPeer,
    values: Updateable<AccessTables['peers']>,
    dueAt: Date | null = null,
  ): Promise<void> {
    await this.#options.room.ask(db =>
      db
        .updateTable('peers')
        .set({
          ...values,
          leased_until: null,
          due_at: sql<Date | null>`case when revision = ${revision} then ${dueAt}::timestamptz else due_at end`,
        })
        .where('peer_id', '=', peer_id)
        .where('leased_until', '=', leased_until)
        .execute(),
    )
  }
}
