/** Tariffs and who has them as they are asked for and answered: fields are called as in the first VPN API. */
import { z } from 'zod'
import { ids, moment, text, whole, yesNo } from '../../http/fields.js'
import { currency, Money, money } from './money.js'
import type { TariffRow } from './rows.js'
import { type Entry, STATES, stateOf } from './subscription-book.js'
import { graceEndsMs } from './granting.js'

/** Numbers that the database counts by are this large at most. */
const NUMBER_MAX = 2_147_483_647
/** More than anybody moves; a few of them together are still counted exactly. */
const BYTES_MAX = 2 ** 50
/** As many groups as a node may be in. */
const GROUPS_MAX = 16

/** A number of something, in a path or a query. */
export const number = (what: string) =>
  z.coerce.number({ error: `wanted the number of ${what}` }).pipe(whole(1, NUMBER_MAX))

export const TariffCreate = z
  .strictObject({
    name: text(64),
    description: z
      .string()
      .max(2_000)
      .nullish()
      .transform(given => given ?? ''),
    price: money,
    currency: currency.default('USD'),
    duration_days: whole(1, 3_660).default(30),
    grace_hours: whole(0, 8_784).default(0).meta({
      description: 'How long connections go on when the tariff has ended.',
    }),
    device_limit: whole(1, 1_000).default(5).meta({ description: 'Peers that may connect.' }),
    traffic_limit_bytes: whole(1, BYTES_MAX).nullable().default(null).meta({
      description: 'Bytes of both ways; null: no limit.',
    }),
    throttled_bytes: whole(0, BYTES_MAX).default(0).meta({
      description: 'What may go beyond the limit, slowly, before it is stopped.',
    }),
    throttle_kbps: whole(8, 10_000_000).default(1_000).meta({ description: 'How slowly, kbit/s.' }),
    node_groups: ids(GROUPS_MAX).default([]).meta({
      description: 'Only nodes in one of these groups; empty: any.',
    }),
    archived: yesNo.default(false).meta({ description: 'It is sold no more.' }),
  })
  .meta({ id: 'TariffCreate' })

const Terms = {
  device_limit: z.int(),
  traffic_limit_bytes: z.int().nullable().meta({ description: 'Null: no limit.' }),
  throttled_bytes: z.int(),
  throttle_kbps: z.int(),
  node_groups: z.array(z.string()),
}

export const TariffOut = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    price: Money,
    currency: z.string(),
    duration_days: z.int(),
    grace_hours: z.int(),
    ...Terms,
    archived: z.boolean(),
    created_at: moment,
  })
  .meta({ id: 'TariffOut' })

export const tariffOut = (row: TariffRow): z.output<typeof TariffOut> => ({
  id: row.tariff_id,
  name: row.name,
  description: row.description,
  price: row.price,
  currency: row.currency,
  duration_days: row.duration_days,
  grace_hours: row.grace_hours,
  ...termsOut(row),
  archived: row.archived_at !== null,
  created_at: row.created_at.toISOString(),
})

export const UserTariff = z
  .object({
    id: z.int(),
    user_id: z.int(),
    email: z.string(),
    tariff_id: z.int(),
    tariff_name: z.string(),
    status: z.enum(STATES).meta({
      description:
        '`grace`: it has ended, and is let for a while. `throttled`: the traffic is used up, and the rest is slow. `used_up`: that too.',
    }),
    started_at: moment,
    ended_at: moment.meta({ description: 'When it ends, or has ended.' }),
    grace_until: moment,
    ...Terms,
    used_bytes: z.int(),
    is_current: z.boolean().meta({ description: 'False: another took its place.' }),
    granted_by: z.string(),
    ended_because: z.string().nullable().meta({ description: 'Null: its time was over, or is not yet.' }),
  })
  .meta({ id: 'UserTariff' })

export const userTariff = (row: Entry, nowMs: number): z.output<typeof UserTariff> => ({
  id: row.subscription_id,
  user_id: row.user_id,
  email: row.account_name,
  tariff_id: row.tariff_id,
  tariff_name: row.tariff_name,
  status: stateOf(row, nowMs),
  started_at: row.starts_at.toISOString(),
  ended_at: row.ends_at.toISOString(),
  grace_until: new Date(graceEndsMs(row)).toISOString(),
  ...termsOut(row),
  used_bytes: row.used_bytes,
  is_current: row.is_current,
  granted_by: row.granted_by,
  ended_because: row.ended_because,
})

const termsOut = (row: Pick<TariffRow, keyof typeof Terms>) => ({
  device_limit: row.device_limit,
  traffic_limit_bytes: row.traffic_limit_bytes,
  throttled_bytes: row.throttled_bytes,
  throttle_kbps: row.throttle_kbps,
  node_groups: row.node_groups,
})
