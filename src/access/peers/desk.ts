/**
 * What owners and operators do with peers. The database says first how a peer is to be; then the entitlements hear of it,
 * and it is set up, for which the answer waits a moment.
 */
import type { PluginHost } from '../../app/plugin.js'
import { type Caller, nameOf } from '../../http/caller.js'
import { HttpError } from '../../http/faults.js'
import type { Clock, Timer } from '../../kit/clock.js'
import { isOperator } from '../callers.js'
import type { Entitlements } from '../ports.js'
import { type NewPeer, type Peer, type PeerBook, type PeerOf, statusOf } from './book.js'
import type { Reconciler } from './reconciler.js'
import type { Secrets } from './secrets.js'
import { TIMING } from './timing.js'

export interface DeskOptions {
  readonly clock: Clock
  readonly book: PeerBook
  readonly reconciler: Pick<Reconciler, 'settle'>
  readonly entitlements: Pick<Entitlements, 'changed' | 'settled'>
  readonly secrets: Secrets
  readonly audit: PluginHost['audit']
}

export interface MadePeer {
  readonly peer: PeerOf
  /** Base64, to be shown now; null: it is not known here. */
  readonly privateKey: string | null
}

export class PeerDesk {
  readonly #options: DeskOptions

  constructor(options: DeskOptions) {
    this.#options = options
  }

  /** Resolves with the new peer; rejects with a 409 when its key or name cannot be used where WireGuard runs. */
  async create(wish: NewPeer, caller: Caller): Promise<MadePeer> {
    const { book, secrets, audit } = this.#options
    const { peer: made, privateKey } = await book.create(wish)
    await this.#settle(made)
    const peer = await book.of(made.peer_id)
    if (statusOf(peer) === 'refused') {
      await book.withdraw(peer.peer_id)
      this.#options.entitlements.changed(peer.account_id)
      throw new HttpError(409, 'peer_refused', refusal(peer, wish))
    }
    audit({
      kind: 'peer.created',
      actor: nameOf(caller),
      subject: peer.identity_id,
      detail: {
        user: peer.account_name,
        name: peer.name,
        key: wish.publicKey === null ? 'made here' : 'sent',
      },
    })
    const kept = privateKey ?? secrets.open('private', peer, peer.private_key)
    if (kept !== null) await book.shown(peer.peer_id)
    return { peer, privateKey: kept }
  }

  /** Changes the name of a peer, or whether it is to work. What an operator has switched off, only operators switch on. */
  async change(
    peer: PeerOf,
    change: { readonly name?: string | undefined; readonly active?: boolean | undefined },
    caller: Caller,
  ): Promise<PeerOf> {
    const { book, audit } = this.#options
    const isOwner = 'accountId' in caller && caller.accountId === peer.account_id
    if (change.active === true && peer.is_held && !isOperator(caller))
      throw new HttpError(403, 'held', 'an operator has switched this peer off')
    const changed = await book.change(peer.peer_id, {
      ...(change.name !== undefined && { name: change.name }),
      ...(change.active !== undefined && { is_active: change.active, is_held: !change.active && !isOwner }),
    })
    if (changed !== undefined) {
      audit({ kind: 'peer.changed', actor: nameOf(caller), subject: peer.identity_id, detail: { ...change } })
      await this.#settle(changed)
    }
    return await book.of(peer.peer_id)
  }

  /** Removes a peer: it may carry nothing from now on, and is taken away where WireGuard runs. */
  async remove(peer: PeerOf, caller: Caller): Promise<PeerOf> {
    const { book, audit } = this.#options
    const removed = await book.remove(peer.peer_id)
    if (removed !== undefined) {
      audit({
        kind: 'peer.removed',
        actor: nameOf(caller),
        subject: peer.identity_id,
        detail: { user: peer.account_name, name: peer.name },
      })
      await this.#settle(removed)
    }
    return await book.of(peer.peer_id)
  }

  /** Returns the private key of a peer for its owner; null: it is not kept here. */
  async keyOf(peer: PeerOf, caller: Caller): Promise<string | null> {
    const { book, secrets, audit } = this.#options
    const key = secrets.open('private', peer, peer.private_key)
    if (key !== null && (await book.shown(peer.peer_id)))
      audit({ kind: 'peer.key_shown', actor: nameOf(caller), subject: peer.identity_id, detail: {} })
    return key
  }

  /** Resolves when the peer is as it was said to be, or after a moment: it is set up later then. */
  async #settle(peer: Peer): Promise<void> {
    const { clock, reconciler, entitlements } = this.#options
    entitlements.changed(peer.account_id)
    await entitlements.settled()
    let timer: Timer | undefined
    const impatient = new Promise<void>(resolve => {
      timer = clock.setTimeout(resolve, TIMING.patienceMs)
    })
    // When the database has gone away, the peer is due, and is set up once it is back.
    await Promise.race([reconciler.settle(peer.peer_id).catch(() => undefined), impatient])
    clock.clearTimeout(timer)
  }
}

const refusal = (peer: Peer, { byOperator }: NewPeer): string =>
  byOperator && peer.error !== null
    ? `the peer cannot be set up: ${peer.error}`
    : 'this key cannot be used: make another one'
