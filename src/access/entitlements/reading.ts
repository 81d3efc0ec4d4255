/** Reads what accounts hold: a few that were changed, or everyone in pages, so that a hundred thousand are no burden. */
import { type Kysely, sql } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import { graceEndsMs } from '../tariffs/granting.js'
import type { SubscriptionRow } from '../tariffs/rows.js'
import type { Device, Holding, Plan } from './holding.js'

/** What an account holds, and what of it is used as the database has it. */
export interface Found {
  readonly holding: Holding
  readonly usedBytes: number
}

/** Peers that were removed are told apart from those that never were for so long: until then every path of theirs has ended, ms. */
const REMOVED_KEPT_MS = 86_400_000
/** kbit/s, as bytes. */
const BYTES_PER_KBIT = 125

/** Resolves with those of the accounts that are still there. */
export const readSome = (room: Room<AccessTables>, accountIds: readonly string[], nowMs: number) =>
  room.ask(async db => {
    const { rows } = await sql<AccountRow>`
      select account_id, name, disabled_at is not null as is_disabled
      from ${theseOf(accountIds)} join accounts using (account_id)`.execute(db)
    return await holdings(db, rows, nowMs)
  })

/** A page of everyone; the next one begins after `next`, null: there is none. */
export interface Page {
  readonly found: readonly Found[]
  readonly next: string | null
}

/** Resolves with those of the next accounts that have, or had, a tariff or a peer. */
export const readPage = (
  room: Room<AccessTables>,
  after: string,
  limit: number,
  nowMs: number,
): Promise<Page> =>
  room.ask(async db => {
    const { rows } = await sql<AccountRow>`
      select account_id, name, disabled_at is not null as is_disabled
      from accounts where account_id > ${after} order by account_id limit ${limit}`.execute(db)
    const found = await holdings(db, rows, nowMs)
    return {
      found: found.filter(({ holding: { plan, devices } }) => plan !== null || devices.length > 0),
      next: rows.length < limit ? null : (rows.at(-1)?.account_id ?? null),
    }
  })

interface AccountRow {
  readonly account_id: string
  readonly name: string
  readonly is_disabled: boolean
}

async function holdings(
  db: Kysely<AccessTables>,
  accounts: readonly AccountRow[],
  nowMs: number,
): Promise<readonly Found[]> {
  const accountIds = accounts.map(({ account_id }) => account_id)
  const plans = await plansOf(db, accountIds)
  const devices = await devicesOf(db, accountIds, nowMs)
  return accounts.map(({ account_id: accountId, name, is_disabled: isDisabled }) => {
    const has = plans.get(accountId)
    return {
      holding: {
        accountId,
        name,
        isDisabled,
        plan: has === undefined ? null : planOf(has),
        devices: devices.get(accountId) ?? [],
      },
      usedBytes: has?.used_bytes ?? 0,
    }
  })
}

/** Each is looked for by itself: however many there are in all, it takes an index and no look at everyone. */
const theseOf = (accountIds: readonly string[]) =>
  sql`unnest(${column(accountIds, id => id)}::text::text[]) as wanted (account_id)`

type PlanRow = SubscriptionRow & { readonly tariff: string }

async function plansOf(
  db: Kysely<AccessTables>,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, PlanRow>> {
  const { rows } = await sql<PlanRow>`
    select subscriptions.*, tariffs.name as tariff
    from ${theseOf(accountIds)} join subscriptions using (account_id) join tariffs using (tariff_id)
    where is_current`.execute(db)
  return new Map(rows.map(row => [row.account_id, row]))
}

const planOf = (row: PlanRow): Plan => ({
  subscriptionId: row.subscription_id,
  tariff: row.tariff,
  endsAtMs: row.ends_at.getTime(),
  graceEndsMs: graceEndsMs(row),
  limitBytes: row.traffic_limit_bytes,
  throttledBytes: row.throttled_bytes,
  throttledBytesPerSecond: row.throttle_kbps * BYTES_PER_KBIT,
  groups: row.node_groups,
  deviceLimit: row.device_limit,
})

interface DeviceRow {
  readonly peer_id: number
  readonly account_id: string
  readonly identity_id: string
  readonly is_active: boolean
  readonly is_removed: boolean
}

async function devicesOf(
  db: Kysely<AccessTables>,
  accountIds: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, Device[]>> {
  const { rows: found } = await sql<DeviceRow>`
    select peer_id, account_id, identity_id, is_active, removed_at is not null as is_removed
    from ${theseOf(accountIds)} join peers using (account_id)
    where removed_at is null or removed_at > ${new Date(nowMs - REMOVED_KEPT_MS)}`.execute(db)
  found.sort((a, b) => a.peer_id - b.peer_id)
  const byAccount = new Map<string, Device[]>()
  for (const { peer_id: peerId, account_id, identity_id: identityId, is_active, is_removed } of found) {
    const standing = is_removed ? 'removed' : is_active ? 'on' : 'off'
    const device: Device = { peerId, identityId, standing }
    const others = byAccount.get(account_id)
    if (others === undefined) byAccount.set(account_id, [device])
    else others.push(device)
  }
  return byAccount
}
