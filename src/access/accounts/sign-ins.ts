/**
 * Sign-ins: each is a family of refresh tokens, of which only the newest is good. An older one that comes again was
 * copied, by whom nobody knows: the whole sign-in ends (RFC 9700 §4.14.2).
 *
 *   bsr_<sign-in>.<secret>     the secret, 256 bits, is kept as its SHA-256
 */
import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { badRequest } from '../../http/faults.js'
import { cursorOf, type ListCursor } from '../../http/listing.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Room } from '../../store/rooms.js'
import type { Account } from './accounts.js'
import type { AccessTables } from '../tables.js'
import { TIMING } from './timing.js'

export interface SignIn {
  readonly signInId: string
  readonly accountId: string
}

export interface Begun {
  readonly signInId: string
  readonly refreshToken: string
}

export type Renewal =
  | { readonly outcome: 'renewed'; readonly account: Account; readonly begun: Begun }
  /** It was never good, or is so no more. */
  | { readonly outcome: 'over' }
  /** It was good once, and another had come after it: the sign-in has ended now, if it had not before. */
  | { readonly outcome: 'reused'; readonly signIn: SignIn; readonly hasEnded: boolean }

export interface SignInQuery {
  readonly limit: number
  readonly after?: string | undefined
  /** `created_at`, with a minus before it for the reverse order. */
  readonly sort?: string | undefined
  /** Only those of this account; see name.ts. */
  readonly nameKey?: string | undefined
  /** Only those that are good now, or only others. */
  readonly good?: boolean | undefined
}

const TOKEN = /^bsr_([0-9a-f]{32})\.([\w-]{43})$/

export class SignIns {
  readonly #room: Room<AccessTables>
  readonly #clock: Clock
  readonly #random: Random

  constructor(parts: { readonly room: Room<AccessTables>; readonly clock: Clock; readonly random: Random }) {
    this.#room = parts.room
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /** Resolves with a new sign-in of an account as it was read, good for `idleMs` at least; null when it was changed meanwhile. */
  begin(
    { account_id, epoch }: Pick<Account, 'account_id' | 'epoch'>,
    address: string,
    idleMs: number = TIMING.idleMs,
  ): Promise<Begun | null> {
    const nowMs = this.#clock.wallMs()
    const signInId = Buffer.from(this.#random.bytes(16)).toString('hex')
    const secret = this.#newSecret()
    return this.#room.transact(async tx => {
      const account = await tx
        .updateTable('accounts')
        .set({ last_sign_in_at: new Date(nowMs) })
        .where('account_id', '=', account_id)
        .where('epoch', '=', epoch)
        .where('disabled_at', 'is', null)
        .returning('account_id')
        .executeTakeFirst()
      if (account === undefined) return null
      await tx
        .insertInto('sign_ins')
        .values({
          sign_in_id: signInId,
          account_id,
          secret_hash: hashOf(secret),
          address,
          created_at: new Date(nowMs),
          expires_at: new Date(nowMs + idleMs),
          ended_at: null,
          renewed_at: null,
        })
        .execute()
      return { signInId, refreshToken: `bsr_${signInId}.${secret}` }
    })
  }

  /** Resolves with what came of a refresh token: of many requests with the same one, one is renewed. */
  async renew(refreshToken: string): Promise<Renewal> {
    const [, signInId, secret] = TOKEN.exec(refreshToken) ?? []
    if (signInId === undefined || secret === undefined) return { outcome: 'over' }
    const now = new Date(this.#clock.wallMs())
    const next = this.#newSecret()
    return await this.#room.transact(async tx => {
      const signIn = await tx
        .selectFrom('sign_ins')
        .selectAll()
        .where('sign_in_id', '=', signInId)
        .forUpdate()
        .executeTakeFirst()
      if (signIn === undefined) return { outcome: 'over' }
      const { account_id, created_at, expires_at, ended_at } = signIn
      if (!hashOf(secret).equals(signIn.secret_hash)) {
        if (ended_at === null)
          await tx.updateTable('sign_ins').set({ ended_at: now }).where('sign_in_id', '=', signInId).execute()
        return { outcome: 'reused', signIn: { signInId, accountId: account_id }, hasEnded: ended_at === null }
      }
      const account = await tx
        .selectFrom('accounts')
        .selectAll()
        .where('account_id', '=', account_id)
        .where('disabled_at', 'is', null)
        .executeTakeFirst()
      if (account === undefined || ended_at !== null || expires_at <= now) return { outcome: 'over' }
      const longerMs = Math.min(now.getTime() + TIMING.idleMs, created_at.getTime() + TIMING.signInMs)
      const expiresAt = new Date(Math.max(expires_at.getTime(), longerMs))
      await tx
        .updateTable('sign_ins')
        .set({ secret_hash: hashOf(next), expires_at: expiresAt, renewed_at: now })
        .where('sign_in_id', '=', signInId)
        .execute()
      return { outcome: 'renewed', account, begun: { signInId, refreshToken: `bsr_${signInId}.${next}` } }
    })
  }

  /** Ends the sign-in that a refresh token is the newest of; resolves with null when there is none. */
  async endBy(refreshToken: string): Promise<SignIn | null> {
    const [, signInId = '', secret = ''] = TOKEN.exec(refreshToken) ?? []
    return await this.#end(signInId, hashOf(secret))
  }

  /** Ends a sign-in; resolves with null when there is none. */
  end(signInId: string): Promise<SignIn | null> {
    return this.#end(signInId, null)
  }

  /** Resolves with the sign-ins of those who run the mesh: the rows of a page, and how many there are in all. */
  list({ limit, after, sort = '-created_at', nameKey, good }: SignInQuery) {
    const now = new Date(this.#clock.wallMs())
    const isDown = sort.startsWith('-')
    const from = after === undefined ? null : fromOf(after)
    return this.#room.ask(async db => {
      const wanted = db
        .selectFrom('sign_ins')
        .innerJoin('accounts', 'accounts.account_id', 'sign_ins.account_id')
        .where('role', '!=', 'user')
        .$if(nameKey !== undefined, q => q.where('name_key', '=', nameKey ?? ''))
        .$if(good === true, q => q.where('ended_at', 'is', null).where('expires_at', '>', now))
        .$if(good === false, q =>
          q.where(eb => eb.or([eb('ended_at', 'is not', null), eb('expires_at', '<=', now)])),
        )
      const { total } = await wanted
        .select(q => q.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await wanted
        .select(['sign_in_id', 'name', 'role', 'address', 'expires_at', 'renewed_at', 'ended_at'])
        .select('sign_ins.created_at')
        .$if(from !== null, q =>
          q.where(
            sql<boolean>`(sign_ins.created_at, sign_in_id) ${sql.raw(isDown ? '<' : '>')} (${from?.[0]}, ${from?.[1]})`,
          ),
        )
        .orderBy('sign_ins.created_at', isDown ? 'desc' : 'asc')
        .orderBy('sign_in_id', isDown ? 'desc' : 'asc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const next: ListCursor | null = last === undefined ? null : [last.created_at.getTime(), last.sign_in_id]
      return { rows: page, total: Number(total), next }
    })
  }

  /** Resolves with whether nobody has signed in to the account from this address, as far as is remembered. */
  async isStrange(accountId: string, address: string): Promise<boolean> {
    const known = await this.#room.ask(db =>
      db
        .selectFrom('sign_ins')
        .select('sign_in_id')
        .where('account_id', '=', accountId)
        .where('address', '=', address)
        .limit(1)
        .executeTakeFirst(),
    )
    return known === undefined
  }

  /** Resolves with what has ended since, and of which tokens may still be about. */
  async endedSince(sinceMs: number): Promise<readonly (SignIn & { readonly atMs: number })[]> {
    const rows = await this.#room.ask(db =>
      db
        .selectFrom('sign_ins')
        .select(['sign_in_id', 'account_id', 'ended_at'])
        .where('ended_at', '>', new Date(sinceMs))
        .execute(),
    )
    return rows.map(({ sign_in_id, account_id, ended_at }) => ({
      signInId: sign_in_id,
      accountId: account_id,
      atMs: ended_at?.getTime() ?? sinceMs,
    }))
  }

  /** Forgets what is not remembered any longer. */
  async tidy(): Promise<void> {
    const since = new Date(this.#clock.wallMs() - TIMING.keptMs)
    await this.#room.ask(db => db.deleteFrom('sign_ins').where('created_at', '<', since).execute())
  }

  async #end(signInId: string, secretHash: Buffer | null): Promise<SignIn | null> {
    const ended = await this.#room.ask(db =>
      db
        .updateTable('sign_ins')
        .set({ ended_at: new Date(this.#clock.wallMs()) })
        .where('sign_in_id', '=', signInId)
        .$if(secretHash !== null, q => q.where('secret_hash', '=', secretHash ?? Buffer.alloc(0)))
        .where('ended_at', 'is', null)
        .returning('account_id')
        .executeTakeFirst(),
    )
    return ended === undefined ? null : { signInId, accountId: ended.account_id }
  }

  #newSecret(): string {
    return Buffer.from(this.#random.bytes(32)).toString('base64url')
  }
}

function fromOf(after: string): readonly [Date, string] {
  const [ms, signInId] = cursorOf(after)
  const at = new Date(Number(ms))
  if (Number.isNaN(at.getTime())) throw badRequest('after: wanted `next` of the page before')
  return [at, signInId]
}

/** 256 bits of chance need no slow hash. */
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
