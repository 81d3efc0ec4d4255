/**
 * Who has which tariff, and had: one of an account is current, be it over or not, and the others are its past. Whoever
 * changes what an account has holds the account's row until it is done, so that of many at once each adds its own.
 */
import { sql, type Transaction } from 'kysely'
import { HttpError, notFound } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Grant, Granted, Subscriptions, Withdrawal } from '../ports.js'
import type { AccessTables } from '../tables.js'
import { graceEndsMs, granted, withdrawn } from './granting.js'
import type { SubscriptionRow } from './rows.js'

type Tx = Transaction<AccessTables>

export interface SubscriptionBookOptions {
  readonly room: Room<AccessTables>
  readonly clock: Pick<Clock, 'wallMs'>
}

/** A subscription, and whose it is. */
export interface Entry extends SubscriptionRow {
  readonly tariff_name: string
  readonly user_id: number
  readonly account_name: string
}

export const STATES = ['active', 'grace', 'throttled', 'used_up', 'ended'] as const
export type SubscriptionState = (typeof STATES)[number]

export interface EntryQuery {
  readonly limit: number
  /** Only those before this one: they come newest first. */
  readonly before?: number | undefined
  readonly accountId?: string | undefined
  readonly userId?: number | undefined
  readonly tariffId?: number | undefined
  readonly status?: SubscriptionState | undefined
  /** Only those that are current, or only past ones. */
  readonly current?: boolean | undefined
  /** Only those that run now, and end within so long, ms. */
  readonly endsWithinMs?: number | undefined
  /** A part of the account’s name. */
  readonly q?: string | undefined
}

export class SubscriptionBook implements Subscriptions {
  readonly #room: Room<AccessTables>
  readonly #clock: Pick<Clock, 'wallMs'>

  constructor({ room, clock }: SubscriptionBookOptions) {
    this.#room = room
    this.#clock = clock
  }

  async grant(tx: Tx, { accountId, tariffId, by }: Grant): Promise<Granted> {
    await hold(tx, accountId)
    const nowMs = this.#clock.wallMs()
    const now = new Date(nowMs)
    const tariff = await tx
      .selectFrom('tariffs')
      .select(SOLD)
      .where('tariff_id', '=', tariffId)
      .executeTakeFirst()
    if (tariff === undefined) throw notFound(`there is no tariff ${tariffId}`)
    const current = await tx
      .selectFrom('subscriptions')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('is_current', '=', true)
      .forUpdate()
      .executeTakeFirst()
    const { isRenewal, terms, endsAtMs } = granted(current ?? null, tariff, nowMs)
    const values = { ...terms, ends_at: new Date(endsAtMs), granted_by: by }
    if (current !== undefined && isRenewal) {
      const { subscription_id: subscriptionId } = current
      await tx
        .updateTable('subscriptions')
        .set(values)
        .where('subscription_id', '=', subscriptionId)
        .execute()
      return { subscriptionId, endsAtMs, isRenewal }
    }
    if (current !== undefined) await replace(tx, current, now)
    const begun = await tx
      .insertInto('subscriptions')
      .values({ ...values, account_id: accountId, is_current: true, starts_at: now, created_at: now })
      .returning('subscription_id')
      .executeTakeFirstOrThrow()
    return { subscriptionId: begun.subscription_id, endsAtMs, isRenewal }
  }

  async withdraw(tx: Tx, { subscriptionId, tariffId, by }: Withdrawal): Promise<void> {
    const nowMs = this.#clock.wallMs()
    const current = await tx
      .selectFrom('subscriptions')
      .selectAll()
      .where('subscription_id', '=', subscriptionId)
      .forUpdate()
      .executeTakeFirst()
    if (current === undefined || !current.is_current || nowMs >= graceEndsMs(current)) return
    const tariff = await tx
      .selectFrom('tariffs')
      .select(SOLD)
      .where('tariff_id', '=', tariffId)
      .executeTakeFirstOrThrow()
    const left = withdrawn(current, tariff, nowMs)
    if (left === null) await this.end(tx, subscriptionId, `withdrawn by ${by}`)
    else
      await tx
        .updateTable('subscriptions')
        .set({ ends_at: new Date(left.endsAtMs), traffic_limit_bytes: left.traffic_limit_bytes })
        .where('subscription_id', '=', subscriptionId)
        .execute()
  }

  /** Ends a subscription now, without grace; resolves with false when it has ended already. */
  async end(tx: Tx, subscriptionId: number, because: string): Promise<boolean> {
    const now = new Date(this.#clock.wallMs())
    const ended = await tx
      .updateTable('subscriptions')
      .set({ ends_at: sql<Date>`least(ends_at, ${now})`, ended_because: because })
      .where('subscription_id', '=', subscriptionId)
      .where('is_current', '=', true)
      .where('ended_because', 'is', null)
      .where(sql<boolean>`ends_at + grace_hours * interval '1 hour' > ${now}`)
      .executeTakeFirst()
    return ended.numUpdatedRows > 0n
  }

  /** Has a subscription that runs end at another moment; resolves with false when it has ended already. */
  async moveEnd(tx: Tx, subscriptionId: number, endsAt: Date): Promise<boolean> {
    const now = new Date(this.#clock.wallMs())
    const moved = await tx
      .updateTable('subscriptions')
      .set({ ends_at: endsAt })
      .where('subscription_id', '=', subscriptionId)
      .where('is_current', '=', true)
      .where('ended_because', 'is', null)
      .where(sql<boolean>`ends_at + grace_hours * interval '1 hour' > ${now}`)
      .executeTakeFirst()
    return moved.numUpdatedRows > 0n
  }

  /** Resolves with one subscription; undefined: there is none. */
  async of(subscriptionId: number): Promise<Entry | undefined> {
    return await this.#room.ask(db =>
      entries(db).where('subscriptions.subscription_id', '=', subscriptionId).executeTakeFirst(),
    )
  }

  /** Resolves with what an account has, or had last; undefined: it never had a tariff. */
  async currentOf(accountId: string): Promise<Entry | undefined> {
    return await this.#room.ask(db =>
      entries(db)
        .where('subscriptions.account_id', '=', accountId)
        .where('is_current', '=', true)
        .executeTakeFirst(),
    )
  }

  /** Resolves with a page of subscriptions, the newest first, and how many meet the wish. */
  list({ limit, before, accountId, userId, tariffId, status, current, endsWithinMs, q }: EntryQuery) {
    const now = new Date(this.#clock.wallMs())
    return this.#room.ask(async db => {
      const wanted = entries(db)
        .$if(accountId !== undefined, of => of.where('subscriptions.account_id', '=', accountId ?? ''))
        .$if(userId !== undefined, of => of.where('accounts.user_id', '=', userId ?? 0))
        .$if(tariffId !== undefined, of => of.where('subscriptions.tariff_id', '=', tariffId ?? 0))
        .$if(current !== undefined, of => of.where('is_current', '=', current ?? true))
        .$if(status !== undefined, of => of.where(stateAt(now), '=', status ?? 'active'))
        .$if(endsWithinMs !== undefined, of =>
          of
            .where('is_current', '=', true)
            .where('ends_at', '>', now)
            .where('ends_at', '<=', new Date(now.getTime() + (endsWithinMs ?? 0))),
        )
        .$if(q !== undefined, of =>
          of.where(sql<number>`strpos(name_key, ${(q ?? '').toLowerCase()})`, '>', 0),
        )
      const { total } = await wanted
        .clearSelect()
        .select(of => of.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await wanted
        .$if(before !== undefined, of => of.where('subscriptions.subscription_id', '<', before ?? 0))
        .orderBy('subscriptions.subscription_id', 'desc')
        .limit(limit + 1)
        .execute()
      return { rows, total }
    })
  }
}

/** Returns how a subscription stands at this moment, ms since 1970 UTC. */
export function stateOf(row: SubscriptionRow, nowMs: number): SubscriptionState {
  const { traffic_limit_bytes: limit, used_bytes: used, throttled_bytes: slow } = row
  if (!row.is_current || nowMs >= graceEndsMs(row)) return 'ended'
  if (limit !== null && used >= limit + slow) return 'used_up'
  if (limit !== null && used >= limit) return 'throttled'
  return nowMs >= row.ends_at.getTime() ? 'grace' : 'active'
}

/** The same, as the database finds it. */
const stateAt = (now: Date) => sql<SubscriptionState>`
  case
    when not is_current or ${now} >= case when ended_because is null
      then ends_at + subscriptions.grace_hours * interval '1 hour' else ends_at end then 'ended'
    when used_bytes >= subscriptions.traffic_limit_bytes + subscriptions.throttled_bytes then 'used_up'
    when used_bytes >= subscriptions.traffic_limit_bytes then 'throttled'
    when ${now} >= ends_at then 'grace'
    else 'active'
  end`

const SOLD = [
  'tariff_id',
  'duration_days',
  'grace_hours',
  'device_limit',
  'traffic_limit_bytes',
  'throttled_bytes',
  'throttle_kbps',
  'node_groups',
] as const

const entries = (db: Pick<Tx, 'selectFrom'>) =>
  db
    .selectFrom('subscriptions')
    .innerJoin('tariffs', 'tariffs.tariff_id', 'subscriptions.tariff_id')
    .innerJoin('accounts', 'accounts.account_id', 'subscriptions.account_id')
    .selectAll('subscriptions')
    .select(['tariffs.name as tariff_name', 'accounts.user_id', 'accounts.name as account_name'])

/** Whoever else grants this account something waits until this is done. */
async function hold(tx: Tx, accountId: string): Promise<void> {
  const account = await tx
    .selectFrom('accounts')
    .select('account_id')
    .where('account_id', '=', accountId)
    .forUpdate()
    .executeTakeFirst()
  if (account === undefined) throw new HttpError(404, 'not_found', 'there is no such account')
}

/** What is replaced is over, and says so where it would have gone on. */
async function replace(tx: Tx, current: SubscriptionRow, now: Date): Promise<void> {
  const runs = graceEndsMs(current) > now.getTime()
  await tx
    .updateTable('subscriptions')
    .set({
      is_current: false,
      ...(runs && {
        ends_at: new Date(Math.min(current.ends_at.getTime(), now.getTime())),
        ended_because: 'replaced',
      }),
    })
    .where('subscription_id', '=', current.subscription_id)
    .execute()
}
