/** Peers in the database: who has which, how many there may be, and what they are to be. What is due is set up by others. */
import { type Insertable, type Selectable, sql, type Transaction } from 'kysely'
import { conflict, HttpError, notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Peers, PeerWish } from '../ports.js'
import type { AccessTables } from '../tables.js'
import { graceEndsMs } from '../tariffs/granting.js'
import type { KeyMaker, MadeKeys } from './key-maker.js'

export type Peer = Selectable<AccessTables['peers']>
/** With the account that it belongs to. */
export type PeerOf = Peer & { readonly user_id: number; readonly account_name: string }
type Tx = Transaction<AccessTables>

export interface BookOptions {
  readonly room: Room<AccessTables>
  readonly clock: Clock
  readonly keys: KeyMaker
  /** Where new peers go. */
  readonly provisioner: Peer['provisioner']
}

export interface NewPeer {
  readonly accountId: string
  readonly name: string
  readonly publicKey: Uint8Array | null
  /** An operator may make the first peer before anything was bought, and is not told to slow down. */
  readonly byOperator: boolean
}

export interface PeerQuery {
  readonly limit: number
  /** Number of the last peer of the page before; 0: it is the first page. */
  readonly after: number
  /** null: everybody’s. */
  readonly accountId: string | null
  readonly userId?: number | undefined
  readonly status?: PeerStatus | undefined
  readonly provisioner?: Peer['provisioner'] | undefined
  /** A part of the name of the peer or of its account, its name in the mesh, or its key. */
  readonly q?: string | undefined
}

export const PEER_STATUSES = [
  'active',
  'inactive',
  'pending',
  'refused',
  'needs_key',
  'removing',
  'removed',
] as const
export type PeerStatus = (typeof PEER_STATUSES)[number]

/** How a peer is; the same in SQL as `statusOf`. */
const STATUS = sql<PeerStatus>`case
  when peers.removed_at is not null then case when peers.due_at is null then 'removed' else 'removing' end
  when peers.public_key is null and peers.provisioner <> 'wg-easy' then 'needs_key'
  when peers.overlay4 is null and peers.due_at is null then 'refused'
  when peers.overlay4 is null then 'pending'
  when peers.is_active then 'active' else 'inactive' end`

/** Peers that an account may remove in a day: each one of our mesh takes its name and addresses with it for good. */
const REMOVALS_A_DAY = 20
const DAY_MS = 86_400_000

export class PeerBook implements Pick<Peers, 'ensure'> {
  readonly #options: BookOptions

  constructor(options: BookOptions) {
    this.#options = options
  }

  async ensure(tx: Tx, { accountId, publicKey, name }: PeerWish) {
    await this.#account(tx, accountId)
    const oldest = await tx
      .selectFrom('peers')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('removed_at', 'is', null)
      .orderBy('peer_id')
      .limit(1)
      .executeTakeFirst()
    if (oldest !== undefined) return { peerId: oldest.peer_id, isNew: false }
    const keys = this.#options.keys.ifPossible(accountId, publicKey)
    // What was paid for is not held up by a key that somebody else has already: the peer waits for another one.
    const peer =
      (await this.#insert(tx, { accountId, name }, keys)) ??
      (await this.#insert(tx, { accountId, name }, this.#options.keys.none))
    if (peer === undefined) throw conflict('the peer could not be made')
    return { peerId: peer.peer_id, isNew: true }
  }

  /**
   * Resolves with a new peer that is due, and its private key where we made one. One that has waited for its key takes
   * this one. Rejects with a 404, a 403 when there is no tariff, a 409 when there are as many as the tariff lets or the
   * key is known already, or a 429.
   */
  async create(wish: NewPeer): Promise<{ readonly peer: PeerOf; readonly privateKey: string | null }> {
    const { room, keys } = this.#options
    const made = keys.make(wish.accountId, wish.publicKey)
    const peer = await room
      .transact(async tx => {
        await this.#account(tx, wish.accountId)
        const waiting = await this.#waiting(tx, wish.accountId)
        if (waiting !== undefined) return await this.#giveKey(tx, waiting.peer_id, wish.name, made)
        await this.#mayHaveOneMore(tx, wish)
        return await this.#insert(tx, wish, made)
      })
      .catch(unlessTaken)
    if (peer === undefined)
      throw new HttpError(
        409,
        'key_in_use',
        'there is a peer with this public key, or there was one: make another key',
      )
    return { peer: await this.of(peer.peer_id), privateKey: made.privateKey }
  }

  /** Resolves with a peer, one that was removed too; rejects with a 404 when there is none, or it is another account's. */
  async of(peerId: number, accountId: string | null = null): Promise<PeerOf> {
    const found = await this.#options.room.ask(db =>
      db
        .selectFrom('peers')
        .innerJoin('accounts', 'accounts.account_id', 'peers.account_id')
        .selectAll('peers')
        .select(['accounts.user_id', 'accounts.name as account_name'])
        .where('peer_id', '=', peerId)
        .$if(accountId !== null, q => q.where('peers.account_id', '=', accountId ?? ''))
        .executeTakeFirst(),
    )
    if (found === undefined) throw notFound(`there is no peer ${peerId}`)
    return found
  }

  /** Resolves with the oldest peer of an account that is there; rejects with a 404 when there is none. */
  async oldestOf(accountId: string): Promise<PeerOf> {
    const found = await this.#options.room.ask(db =>
      db
        .selectFrom('peers')
        .select('peer_id')
        .where('account_id', '=', accountId)
        .where('removed_at', 'is', null)
        .orderBy('is_active', 'desc')
        .orderBy('peer_id')
        .limit(1)
        .executeTakeFirst(),
    )
    if (found === undefined) throw notFound('there is no peer yet: `POST /vpn_peers/self` makes one')
    return await this.of(found.peer_id)
  }

  /** Resolves with the account of this number; rejects with a 404. */
  async accountOf(userId: number): Promise<string> {
    const found = await this.#options.room.ask(db =>
      db.selectFrom('accounts').select('account_id').where('user_id', '=', userId).executeTakeFirst(),
    )
    if (found === undefined) throw notFound(`there is no user ${userId}`)
    return found.account_id
  }

  /** Resolves with the rows of a page, the oldest first; without those that were removed, unless they are asked for. */
  list({ limit, after, accountId, userId, status, provisioner, q = '' }: PeerQuery) {
    return this.#options.room.ask(async db => {
      const wanted = db
        .selectFrom('peers')
        .innerJoin('accounts', 'accounts.account_id', 'peers.account_id')
        .$if(accountId !== null, each => each.where('peers.account_id', '=', accountId ?? ''))
        .$if(userId !== undefined, each => each.where('accounts.user_id', '=', userId ?? 0))
        .$if(status === undefined, each => each.where('peers.removed_at', 'is', null))
        .$if(status !== undefined, each => each.where(STATUS, '=', status ?? 'active'))
        .$if(provisioner !== undefined, each => each.where('peers.provisioner', '=', provisioner ?? 'mesh'))
        .$if(q !== '', each =>
          each.where(eb =>
            eb.or([
              eb(sql<number>`strpos(lower(peers.name), ${q.toLowerCase()})`, '>', 0),
              eb(sql<number>`strpos(accounts.name_key, ${q.toLowerCase()})`, '>', 0),
              eb('peers.identity_id', '=', q),
              eb(sql<string>`encode(peers.public_key, 'base64')`, '=', q),
            ]),
          ),
        )
      const { total } = await wanted
        .select(each => each.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const found = await wanted
        .selectAll('peers')
        .select(['accounts.user_id', 'accounts.name as account_name'])
        .where('peer_id', '>', after)
        .orderBy('peer_id')
        .limit(limit + 1)
        .execute()
      const rows = found.slice(0, limit)
      const next = found.length > limit ? (rows.at(-1)?.peer_id ?? null) : null
      return { rows, total, next }
    })
  }

  /** Has a peer be otherwise; it is due then. Resolves with it, or with undefined when it is gone. */
  change(
    peerId: number,
    change: { readonly name?: string; readonly is_active?: boolean; readonly is_held?: boolean },
  ): Promise<Peer | undefined> {
    return this.#revise(peerId, change)
  }

  /** Has a peer be removed; its bytes stay. */
  remove(peerId: number): Promise<Peer | undefined> {
    const now = new Date(this.#options.clock.wallMs())
    return this.#revise(peerId, {
      removed_at: now,
      is_active: false,
      private_key: null,
      preshared_key: null,
    })
  }

  /** Forgets a peer that never was anywhere. */
  async withdraw(peerId: number): Promise<void> {
    await this.#options.room.ask(db =>
      db.deleteFrom('peers').where('peer_id', '=', peerId).where('overlay4', 'is', null).execute(),
    )
  }

  /** Takes note of when a private key was shown; resolves with whether that was the first time. */
  async shown(peerId: number): Promise<boolean> {
    const { room, clock } = this.#options
    const { numUpdatedRows } = await room.ask(db =>
      db
        .updateTable('peers')
        .set({ key_shown_at: new Date(clock.wallMs()) })
        .where('peer_id', '=', peerId)
        .where('key_shown_at', 'is', null)
        .executeTakeFirstOrThrow(),
    )
    return numUpdatedRows > 0n
  }

  #revise(
    peerId: number,
    values: Partial<
      Pick<Peer, 'name' | 'is_active' | 'is_held' | 'removed_at' | 'private_key' | 'preshared_key'>
    >,
  ): Promise<Peer | undefined> {
    const { room, clock } = this.#options
    return room.ask(db =>
      db
        .updateTable('peers')
        .set(({ eb }) => ({
          ...values,
          revision: eb('revision', '+', 1),
          due_at: new Date(clock.wallMs()),
          attempts: 0,
        }))
        .where('peer_id', '=', peerId)
        .where('removed_at', 'is', null)
        .returningAll()
        .executeTakeFirst(),
    )
  }

  /** Who makes peers of an account waits until others have. */
  async #account(tx: Tx, accountId: string): Promise<void> {
    const account = await tx
      .selectFrom('accounts')
      .select('account_id')
      .where('account_id', '=', accountId)
      .forUpdate()
      .executeTakeFirst()
    if (account === undefined) throw notFound('there is no such account')
  }

  #waiting(tx: Tx, accountId: string) {
    return tx
      .selectFrom('peers')
      .select('peer_id')
      .where('account_id', '=', accountId)
      .where('removed_at', 'is', null)
      .where('public_key', 'is', null)
      .where('provisioner', '!=', 'wg-easy')
      .orderBy('peer_id')
      .limit(1)
      .executeTakeFirst()
  }

  async #mayHaveOneMore(tx: Tx, { accountId, byOperator }: NewPeer): Promise<void> {
    const nowMs = this.#options.clock.wallMs()
    const { there, removed } = await tx
      .selectFrom('peers')
      .select(({ fn }) => [
        fn.countAll<number>().filterWhere('removed_at', 'is', null).as('there'),
        fn
          .countAll<number>()
          .filterWhere('removed_at', '>', new Date(nowMs - DAY_MS))
          .as('removed'),
      ])
      .where('account_id', '=', accountId)
      .executeTakeFirstOrThrow()
    const tariff = await tx
      .selectFrom('subscriptions')
      .select(['device_limit', 'ends_at', 'grace_hours', 'ended_because'])
      .where('account_id', '=', accountId)
      .where('is_current', '=', true)
      .executeTakeFirst()
    const isOver = tariff === undefined || graceEndsMs(tariff) <= nowMs
    if (isOver && !byOperator)
      throw new HttpError(403, 'not_entitled', 'there is no tariff that lets this account have peers')
    const limit = tariff?.device_limit ?? 1
    if (there >= limit)
      throw new HttpError(
        409,
        'device_limit',
        `this account has ${there} of ${limit} peers: remove one, or take a tariff with more`,
      )
    if (removed >= REMOVALS_A_DAY && !byOperator)
      throw new HttpError(429, 'too_many', `more than ${REMOVALS_A_DAY} peers were removed within a day`, {
        'Retry-After': '3600',
      })
  }

  /** Resolves with the new row; undefined: its key is there already. */
  #insert(
    tx: Tx,
    { accountId, name }: Pick<NewPeer, 'accountId' | 'name'>,
    { publicKey, sealed, isShown }: MadeKeys,
  ): Promise<Peer | undefined> {
    const { clock, provisioner } = this.#options
    const now = new Date(clock.wallMs())
    const row: Insertable<AccessTables['peers']> = {
      account_id: accountId,
      name,
      public_key: publicKey,
      private_key: sealed,
      preshared_key: null,
      key_shown_at: isShown ? now : null,
      overlay4: null,
      overlay6: null,
      provisioner,
      external_id: null,
      is_active: true,
      applied: null,
      due_at: publicKey === null && provisioner !== 'wg-easy' ? null : now,
      leased_until: null,
      attempts: 0,
      error: null,
      removed_at: null,
      created_at: now,
    }
    return tx
      .insertInto('peers')
      .values(row)
      .onConflict(conflicting => conflicting.column('public_key').doNothing())
      .returningAll()
      .executeTakeFirst()
  }

  async #giveKey(tx: Tx, peerId: number, name: string, keys: MadeKeys): Promise<Peer | undefined> {
    const { publicKey, sealed, isShown } = keys
    const now = new Date(this.#options.clock.wallMs())
    return await tx
      .updateTable('peers')
      .set(({ eb }) => ({
        name,
        public_key: publicKey,
        private_key: sealed,
        key_shown_at: isShown ? now : null,
        due_at: now,
        revision: eb('revision', '+', 1),
      }))
      .where('peer_id', '=', peerId)
      .returningAll()
      .executeTakeFirst()
  }
}

/** Two asked for the same key at the same moment. */
function unlessTaken(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'STORE_CONFLICT') return undefined
  throw error
}

/** Returns how a peer is. */
export function statusOf(peer: Peer): PeerStatus {
  if (peer.removed_at !== null) return peer.due_at === null ? 'removed' : 'removing'
  if (peer.public_key === null && peer.provisioner !== 'wg-easy') return 'needs_key'
  if (peer.overlay4 === null) return peer.due_at === null ? 'refused' : 'pending'
  return peer.is_active ? 'active' : 'inactive'
}
