/** `/entitlements/`: what somebody may do now, why not more, and how much of it is used. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Clock } from '../../kit/clock.js'
import type { Account, Accounts } from '../accounts/accounts.js'
import { accountOf, ownerOf } from '../callers.js'
import { number, UserTariff, userTariff } from '../tariffs/forms.js'
import type { SubscriptionBook } from '../tariffs/subscription-book.js'
import type { EntitlementBook } from './entitlement-book.js'
import { ENTITLEMENT_STATES } from './states.js'

export interface EntitlementParts {
  readonly clock: Pick<Clock, 'wallMs'>
  readonly accounts: Pick<Accounts, 'byId' | 'byUserId'>
  readonly entitlements: EntitlementBook
  readonly subscriptions: SubscriptionBook
}

export const EntitlementOut = z
  .object({
    user_id: z.int(),
    email: z.string(),
    state: z.enum(ENTITLEMENT_STATES).meta({ description: '`none`: it never had a tariff.' }),
    until: moment.nullable().meta({ description: 'When the state becomes another by itself; null: never.' }),
    used_bytes: z.int().meta({ description: 'Of both ways, as of now.' }),
    limit_bytes: z.int().nullable().meta({ description: 'Null: no limit.' }),
    device_limit: z.int(),
    devices: z
      .array(
        z.object({
          peer_id: z.int(),
          allowed: z.boolean(),
          reason: z.string().nullable().meta({ description: 'Why it is not; null: it is.' }),
        }),
      )
      .meta({ description: 'Peers, the oldest first: within the limit the oldest are allowed.' }),
    tariff: UserTariff.nullable().meta({ description: 'What it has, or had last.' }),
  })
  .meta({ id: 'Entitlement' })

const EntitlementCounts = z
  .object({
    states: z.record(z.enum(ENTITLEMENT_STATES), z.int()).meta({
      description: 'How many accounts are in each state, of those that have or had a tariff or a peer.',
    }),
    ending: z.int().meta({ description: 'How many subscriptions that run end within seven days.' }),
  })
  .meta({ id: 'EntitlementCounts' })

const tag = 'tariffs'
/** Ends that are worth a thought before they come, ms. */
const SOON_MS = 7 * 86_400_000
const one = { 200: { description: 'What it is entitled to.', schema: EntitlementOut } }

export function entitlementEndpoints(parts: EntitlementParts): readonly Endpoint[] {
  const { clock, accounts, entitlements, subscriptions } = parts

  const reply = async ({ account_id: accountId, user_id, name: email }: Account) => {
    const current = await subscriptions.currentOf(accountId)
    const { state, untilMs, usedBytes, limitBytes, deviceLimit } = entitlements.of(accountId)
    const devices = entitlements.holding(accountId)?.devices.filter(({ standing }) => standing !== 'removed')
    return json({
      user_id,
      email,
      state,
      until: untilMs === null ? null : new Date(untilMs).toISOString(),
      used_bytes: usedBytes,
      limit_bytes: limitBytes,
      device_limit: deviceLimit,
      devices: (devices ?? []).map(({ peerId: peer_id, identityId }) => {
        const denial = entitlements.termsOf(identityId, 'client')?.denial ?? null
        return { peer_id, allowed: denial === null, reason: denial?.reason ?? null }
      }),
      tariff: current === undefined ? null : userTariff(current, clock.wallMs()),
    } satisfies z.output<typeof EntitlementOut>)
  }

  return [
    endpoint({
      method: 'GET',
      path: '/entitlements/',
      access: 'viewer',
      tag,
      summary: 'Counts accounts by what they are entitled to',
      replies: { 200: { description: 'How many there are.', schema: EntitlementCounts } },
      async handle() {
        const { counts } = entitlements
        const states = ENTITLEMENT_STATES.map(state => [state, counts.get(state) ?? 0] as const)
        const { total: ending } = await subscriptions.list({ limit: 1, endsWithinMs: SOON_MS })
        return json({ states: Object.fromEntries(states), ending })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/entitlements/mine',
      access: 'user',
      tag,
      summary: 'Tells what one is entitled to oneself',
      replies: one,
      faults: [409],
      async handle({ caller }) {
        const account = await accounts.byId(accountOf(caller))
        if (account === undefined) throw notFound('there is no such account any more')
        return reply(account)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/entitlements/{user_id}',
      access: 'user',
      tag,
      summary: 'Tells what a user is entitled to, and how much of it is used',
      description: 'Users see their own.',
      params: z.object({ user_id: number('a user') }),
      replies: one,
      faults: [409],
      async handle({ params: { user_id: userId }, caller }) {
        const owner = ownerOf(caller)
        const account = await accounts.byUserId(userId)
        if (account === undefined || (owner !== null && owner !== account.account_id))
          throw notFound(`there is no user ${userId}`)
        return reply(account)
      },
    }),
  ]
}
