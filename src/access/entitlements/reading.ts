/** Reads what accounts hold: a few that were changed, or everyone in pages, so that a hundred thousand are no burden. */
import { type Kysely, sql } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/rooms.js'
import type { AccessTables } from '../tables.js'
import { graceEndsMs } from '../tariffs/granting.js'
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
  room.ask(db =>
    read(
      db,
      accounts(db).where(
        sql<boolean>`accounts.account_id = any(${column(accountIds, id => id)}::text::text[])`,
      ),
      nowMs,
    ),
  )

/** Resolves with the next accounts that have, or had, a tariff or a peer. */
export const readPage = (room: Room<AccessTables>, after: string, limit: number, nowMs: number) =>
  room.ask(db =>
    read(
      db,
      accounts(db)
        .where('accounts.account_id', '>', after)
        .where(
          sql<boolean>`(subscription_id is not null or exists (
            select from peers where peers.account_id = accounts.account_id))`,
        )
        .orderBy('accounts.account_id')
        .limit(limit),
      nowMs,
    ),
  )

const accounts = (db: Kysely<AccessTables>) =>
  db
    .selectFrom('accounts')
    .leftJoin('subscriptions', join =>
      join.onRef('subscriptions.account_id', '=', 'accounts.account_id').on('is_current', '=', true),
    )
    .leftJoin('tariffs', 'tariffs.tariff_id', 'subscriptions.tariff_id')
    .select([
      'accounts.account_id',
      'accounts.name',
      'accounts.disabled_at',
      'tariffs.name as tariff',
      'subscription_id',
      'ends_at',
      'ended_because',
      'used_bytes',
      'subscriptions.grace_hours',
      'subscriptions.device_limit',
      'subscriptions.traffic_limit_bytes',
      'subscriptions.throttled_bytes',
      'subscriptions.throttle_kbps',
      'subscriptions.node_groups',
    ])

type Rows = ReturnType<typeof accounts>
type Row = Awaited<ReturnType<Rows['execute']>>[number]

async function read(db: Kysely<AccessTables>, wanted: Rows, nowMs: number): Promise<readonly Found[]> {
  const rows = await wanted.execute()
  const devices = await devicesOf(db, rows, nowMs)
  return rows.map(row => ({
    holding: {
      accountId: row.account_id,
      name: row.name,
      isDisabled: row.disabled_at !== null,
      plan: planOf(row),
      devices: devices.get(row.account_id) ?? [],
    },
    usedBytes: row.used_bytes ?? 0,
  }))
}

async function devicesOf(
  db: Kysely<AccessTables>,
  rows: readonly Row[],
  nowMs: number,
): Promise<ReadonlyMap<string, Device[]>> {
  const found = await db
    .selectFrom('peers')
    .select(['peer_id', 'account_id', 'identity_id', 'is_active', 'removed_at'])
    .where(sql<boolean>`account_id = any(${column(rows, row => row.account_id)}::text::text[])`)
    .where(sql<boolean>`(removed_at is null or removed_at > ${new Date(nowMs - REMOVED_KEPT_MS)})`)
    .orderBy('peer_id')
    .execute()
  const byAccount = new Map<string, Device[]>()
  for (const { peer_id: peerId, account_id, identity_id: identityId, is_active, removed_at } of found) {
    const standing = removed_at !== null ? 'removed' : is_active ? 'on' : 'off'
    const device: Device = { peerId, identityId, standing }
    const others = byAccount.get(account_id)
    if (others === undefined) byAccount.set(account_id, [device])
    else others.push(device)
  }
  return byAccount
}

function planOf(row: Row): Plan | null {
  const { subscription_id: subscriptionId, tariff, ends_at, grace_hours, device_limit, node_groups } = row
  // Together they are there, or none of them is.
  if (subscriptionId === null || ends_at === null || grace_hours === null || device_limit === null)
    return null
  return {
    subscriptionId,
    tariff: tariff ?? '',
    endsAtMs: ends_at.getTime(),
    graceEndsMs: graceEndsMs({ ends_at, grace_hours, ended_because: row.ended_because }),
    limitBytes: row.traffic_limit_bytes,
    throttledBytes: row.throttled_bytes ?? 0,
    throttledBytesPerSecond: (row.throttle_kbps ?? 0) * BYTES_PER_KBIT,
    groups: node_groups ?? [],
    deviceLimit: device_limit,
  }
}
