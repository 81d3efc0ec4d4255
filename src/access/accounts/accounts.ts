/** Accounts in the database. Who is an admin is changed one at a time, so that the last one always stays. */
import { type Insertable, type Selectable, sql, type Transaction } from 'kysely'
import { badRequest, conflict, HttpError, notFound } from '../../http/faults.js'
import { type ListCursor, cursorOf } from '../../http/listing.js'
import type { AccountRole } from '../../http/roles.js'
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Room } from '../../store/rooms.js'
import { nameKey } from './name.js'
import type { AccessTables } from '../tables.js'

export type Account = Selectable<AccessTables['accounts']>
type Tx = Transaction<AccessTables>

export interface NewAccount {
  readonly name: string
  readonly role: AccountRole
  readonly passwordHash: string
  /** Absent: no. */
  readonly unconfirmed?: boolean
}

interface CreateOptions {
  readonly onlyFirst?: boolean
  /** What is done with it in the same transaction. */
  readonly alongWith?: (tx: Tx, account: Account) => Promise<void>
}

/** What is to be another; absent: as it is. */
export interface AccountChange {
  readonly name?: string | undefined
  readonly role?: AccountRole | undefined
  readonly disabled?: boolean | undefined
}

export interface AccountQuery {
  readonly limit: number
  readonly after?: string | undefined
  /** `name` or `createdAt`, with a minus before it for the reverse order. */
  readonly sort?: string | undefined
  readonly role?: AccountRole | undefined
  /** Only those who run the mesh. */
  readonly operators?: boolean
  readonly disabled?: boolean | undefined
  /** A part of the name. */
  readonly search?: string | undefined
}

export class Accounts {
  readonly #room: Room<AccessTables>
  readonly #clock: Clock
  readonly #random: Random

  constructor(parts: { readonly room: Room<AccessTables>; readonly clock: Clock; readonly random: Random }) {
    this.#room = parts.room
    this.#clock = parts.clock
    this.#random = parts.random
  }

  byId(accountId: string): Promise<Account | undefined> {
    return this.#room.ask(db =>
      db.selectFrom('accounts').selectAll().where('account_id', '=', accountId).executeTakeFirst(),
    )
  }

  byIds(accountIds: readonly string[]): Promise<readonly Account[]> {
    return this.#room.ask(db =>
      db.selectFrom('accounts').selectAll().where('account_id', 'in', accountIds).execute(),
    )
  }

  /** Resolves with the account that the first systems knew by this number. */
  byUserId(userId: number): Promise<Account | undefined> {
    return this.#room.ask(db =>
      db.selectFrom('accounts').selectAll().where('user_id', '=', userId).executeTakeFirst(),
    )
  }

  byName(name: string): Promise<Account | undefined> {
    return this.#room.ask(db =>
      db.selectFrom('accounts').selectAll().where('name_key', '=', nameKey(name)).executeTakeFirst(),
    )
  }

  /** Resolves with the account of this name, or rejects with a 404. */
  async called(name: string): Promise<Account> {
    return settled((await this.byName(name)) ?? 'missing', name)
  }

  /** Resolves with the rows of a page and how many there are in all. */
  list({ limit, after, sort = 'name', role, operators = false, disabled, search }: AccountQuery) {
    const column = sort.endsWith('createdAt') ? 'created_at' : 'name_key'
    const isDown = sort.startsWith('-')
    const from = after === undefined ? null : fromOf(after, column)
    return this.#room.ask(async db => {
      const wanted = db
        .selectFrom('accounts')
        .$if(role !== undefined, q => q.where('role', '=', role ?? 'user'))
        .$if(operators, q => q.where('role', '!=', 'user'))
        .$if(disabled !== undefined, q => q.where('disabled_at', disabled === true ? 'is not' : 'is', null))
        .$if(search !== undefined, q =>
          q.where(sql<number>`strpos(name_key, ${nameKey(search ?? '')})`, '>', 0),
        )
      const { total } = await wanted
        .select(q => q.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await wanted
        .selectAll()
        .$if(from !== null, q =>
          q.where(
            sql<boolean>`(${sql.ref(column)}, name_key) ${sql.raw(isDown ? '<' : '>')} (${from?.[0]}, ${from?.[1]})`,
          ),
        )
        .orderBy(column, isDown ? 'desc' : 'asc')
        .orderBy('name_key', isDown ? 'desc' : 'asc')
        .limit(limit + 1)
        .execute()
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const next: ListCursor | null =
        last === undefined
          ? null
          : [column === 'created_at' ? last.created_at.getTime() : last.name_key, last.name_key]
      return { rows: page, total: Number(total), next }
    })
  }

  /** Resolves with the new account; rejects with a 409 when the name is taken, or when `onlyFirst` and there is any. */
  async create(
    { name, role, passwordHash, unconfirmed = false }: NewAccount,
    { onlyFirst = false, alongWith }: CreateOptions = {},
  ): Promise<Account> {
    const row: Insertable<AccessTables['accounts']> = {
      account_id: `acc_${Buffer.from(this.#random.bytes(12)).toString('hex')}`,
      name,
      name_key: nameKey(name),
      role,
      password_hash: passwordHash,
      epoch: 0,
      disabled_at: null,
      created_at: new Date(this.#clock.wallMs()),
      last_sign_in_at: null,
      unconfirmed,
    }
    const outcome = await this.#room.transact(async tx => {
      if (onlyFirst) {
        await inTurn(tx)
        if (await tx.selectFrom('accounts').select('account_id').limit(1).executeTakeFirst())
          return 'not_first'
      }
      const made = await tx
        .insertInto('accounts')
        .values(row)
        .onConflict(conflicting => conflicting.column('name_key').doNothing())
        .returningAll()
        .executeTakeFirst()
      if (made === undefined) return 'taken'
      await alongWith?.(tx, made)
      return made
    })
    return settled(outcome, name)
  }

  /**
   * Changes role or standing, which ends every token, or the name, which ends none. Rejects with a 404, or a 409 when it is
   * the last admin, or when another account has that name.
   */
  async change(name: string, change: AccountChange): Promise<Account> {
    const now = new Date(this.#clock.wallMs())
    const endsTokens = change.role !== undefined || change.disabled !== undefined
    const outcome = await this.#room.transact(async tx => {
      const account = await found(tx, name)
      if (account === undefined) return 'missing'
      if (change.name !== undefined) {
        if (!(await isFree(tx, change.name, account))) return 'taken'
        // They were mailed to the address that it had.
        await tx.deleteFrom('mail_codes').where('account_id', '=', account.account_id).execute()
      }
      const role = change.role ?? account.role
      const isDisabled = change.disabled ?? account.disabled_at !== null
      if ((role !== 'admin' || isDisabled) && (await isLastAdmin(tx, account))) return 'last_admin'
      if (isDisabled) await endSignIns(tx, account.account_id, now)
      const disabledAt = isDisabled ? (account.disabled_at ?? now) : null
      return await tx
        .updateTable('accounts')
        .set(({ eb }) => ({
          role,
          disabled_at: disabledAt,
          ...(endsTokens && { epoch: eb('epoch', '+', 1) }),
          ...(change.name !== undefined && { name: change.name, name_key: nameKey(change.name) }),
        }))
        .where('account_id', '=', account.account_id)
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return settled(outcome, outcome === 'taken' ? (change.name ?? name) : name)
  }

  /** Makes an account an admin while there is none; resolves with it, with `not_first`, or with undefined when it is not there. */
  promoteFirst(userId: number): Promise<Account | 'not_first' | undefined> {
    return this.#room.transact(async tx => {
      await inTurn(tx)
      const any = await tx
        .selectFrom('accounts')
        .select('account_id')
        .where('role', '=', 'admin')
        .limit(1)
        .executeTakeFirst()
      if (any !== undefined) return 'not_first'
      return await tx
        .updateTable('accounts')
        .set(({ eb }) => ({ role: 'admin', unconfirmed: false, epoch: eb('epoch', '+', 1) }))
        .where('user_id', '=', userId)
        .where('disabled_at', 'is', null)
        .returningAll()
        .executeTakeFirst()
    })
  }

  /** Resolves with the account as it was; rejects with a 404, or a 409 when it is the last admin or what it did is kept. */
  async remove(name: string): Promise<Account> {
    const outcome = await this.#room
      .transact(async tx => {
        const account = await found(tx, name)
        if (account === undefined) return 'missing'
        if (await isLastAdmin(tx, account)) return 'last_admin'
        await tx.deleteFrom('accounts').where('account_id', '=', account.account_id).execute()
        return account
      })
      .catch(asKept)
    return settled(outcome, name)
  }

  /** Gives the account another password, which ends every token and sign-in; resolves with null when it is gone. `confirms`: its address was shown to be its own. */
  setPassword(accountId: string, passwordHash: string, confirms = false): Promise<Account | null> {
    return this.#room.transact(async tx => {
      const account = await tx
        .updateTable('accounts')
        .set(({ eb }) => ({
          password_hash: passwordHash,
          epoch: eb('epoch', '+', 1),
          ...(confirms && { unconfirmed: false }),
        }))
        .where('account_id', '=', accountId)
        .returningAll()
        .executeTakeFirst()
      await endSignIns(tx, accountId, new Date(this.#clock.wallMs()))
      return account ?? null
    })
  }

  /** Keeps the same password in another form, unless it was changed meanwhile. */
  async rehash({ account_id, password_hash }: Account, passwordHash: string): Promise<void> {
    await this.#room.ask(db =>
      db
        .updateTable('accounts')
        .set({ password_hash: passwordHash })
        .where('account_id', '=', account_id)
        .where('password_hash', '=', password_hash)
        .execute(),
    )
  }
}

async function endSignIns(tx: Tx, accountId: string, now: Date): Promise<void> {
  await tx
    .updateTable('sign_ins')
    .set({ ended_at: now })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .execute()
}

/** Returns where a page begins. */
function fromOf(after: string, column: 'created_at' | 'name_key'): readonly [Date | string, string] {
  const [key, name] = cursorOf(after)
  if (column === 'name_key') return [String(key), name]
  const at = new Date(Number(key))
  if (Number.isNaN(at.getTime())) throw badRequest('after: wanted `next` of the page before')
  return [at, name]
}

/** SQLSTATE of a row that others refer to, before PostgreSQL 18 and since. */
const REFERRED_TO: ReadonlySet<unknown> = new Set(['23503', '23001'])

/** Peers and payments are kept, and with them whose they were. */
function asKept(error: unknown): 'kept' {
  if (error instanceof Error && 'code' in error && REFERRED_TO.has(error.code)) return 'kept'
  throw error
}

/** What stands against a change; thrown once the database has let go of it. */
const FAULTS = {
  missing: name => notFound(`there is no account ${name}`),
  taken: name => conflict(`there is an account ${name} already`),
  not_first: () =>
    new HttpError(409, 'not_first', 'there are accounts already: an admin of them makes others'),
  kept: name =>
    new HttpError(409, 'kept', `${name} has had peers or payments, which are kept: disable it instead`),
  last_admin: name => new HttpError(409, 'last_admin', `${name} is the last admin: make another one first`),
} as const satisfies Record<string, (name: string) => HttpError>

function settled(outcome: Account | keyof typeof FAULTS, name: string): Account {
  if (typeof outcome === 'string') throw FAULTS[outcome](name)
  return outcome
}

/** Whoever changes who is an admin waits until others have. */
async function inTurn(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.accounts', 0))`.execute(tx)
}

async function found(tx: Tx, name: string): Promise<Account | undefined> {
  await inTurn(tx)
  return await tx.selectFrom('accounts').selectAll().where('name_key', '=', nameKey(name)).executeTakeFirst()
}

async function isFree(tx: Tx, name: string, { account_id }: Account): Promise<boolean> {
  const other = await tx
    .selectFrom('accounts')
    .select('account_id')
    .where('name_key', '=', nameKey(name))
    .where('account_id', '!=', account_id)
    .executeTakeFirst()
  return other === undefined
}

async function isLastAdmin(tx: Tx, { account_id, role, disabled_at }: Account): Promise<boolean> {
  if (role !== 'admin' || disabled_at !== null) return false
  const other = await tx
    .selectFrom('accounts')
    .select('account_id')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .where('account_id', '!=', account_id)
    .limit(1)
    .executeTakeFirst()
  return other === undefined
}
