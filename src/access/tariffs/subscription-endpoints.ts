/** Who has which tariff: `/auth/assign_tariff` as the first VPN API had it, and `/user_tariffs/`. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, HttpError, notFound } from '../../http/faults.js'
import { instant, oneOf, text, whole, yesNo } from '../../http/fields.js'
import { listReply, rows } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/rooms.js'
import type { Accounts } from '../accounts/accounts.js'
import { ownerOf } from '../callers.js'
import type { Entitlements } from '../ports.js'
import type { AccessTables } from '../tables.js'
import { number, UserTariff, userTariff } from './forms.js'
import { STATES, type SubscriptionBook } from './subscription-book.js'
import type { Tariffs } from './tariffs.js'

export interface SubscriptionParts {
  readonly room: Room<AccessTables>
  readonly clock: Pick<Clock, 'wallMs'>
  readonly accounts: Pick<Accounts, 'byUserId'>
  readonly tariffs: Tariffs
  readonly book: SubscriptionBook
  readonly entitlements: Entitlements
  readonly audit: PluginHost['audit']
}

const DAY_MS = 86_400_000
const tag = 'tariffs'
const params = z.object({ id: number('a subscription') })
const one = { 200: { description: 'What the user has.', schema: UserTariff } }
const Assigned = UserTariff.extend({ msg: z.literal('tariff assigned') })

export function subscriptionEndpoints(parts: SubscriptionParts): readonly Endpoint[] {
  const { room, clock, accounts, tariffs, book, entitlements, audit } = parts

  /** Whose is not the caller's own is not there. */
  const seen = async (id: number, owner: string | null) => {
    const entry = await book.of(id)
    if (entry === undefined || (owner !== null && entry.account_id !== owner))
      throw notFound(`there is no subscription ${id}`)
    return entry
  }

  return [
    endpoint({
      method: 'POST',
      path: '/auth/assign_tariff',
      access: 'operator',
      tag,
      summary: 'Gives a user a tariff',
      description:
        'The tariff that it has goes on for longer, and its traffic is added to; another tariff replaces it from now on. Sessions that live follow within a second.',
      query: z.object({ user_id: number('a user') }),
      body: z.strictObject({ tariff_id: number('a tariff') }).meta({ id: 'AssignTariff' }),
      replies: { 200: { description: 'What the user has.', schema: Assigned } },
      faults: [404, 409],
      async handle({ query: { user_id }, body: { tariff_id: tariffId }, caller }) {
        const account = await accounts.byUserId(user_id)
        if (account === undefined) throw notFound(`there is no user ${user_id}`)
        const { account_id: accountId, name } = account
        const tariff = await tariffs.of(tariffId)
        const current = await book.currentOf(accountId)
        if (tariff.archived_at !== null && current?.tariff_id !== tariffId)
          throw new HttpError(409, 'archived', `tariff ${tariffId} is sold no more`)
        const by = nameOf(caller)
        const granted = await room.transact(tx => book.grant(tx, { accountId, tariffId, by }))
        const { subscriptionId, endsAtMs, isRenewal } = granted
        const detail = { subscriptionId, tariff: tariff.name, until: new Date(endsAtMs), isRenewal }
        audit({ kind: 'tariff.granted', actor: by, subject: name, detail })
        entitlements.changed(accountId)
        await entitlements.settled()
        const entry = await seen(subscriptionId, null)
        return json({ msg: 'tariff assigned', ...userTariff(entry, clock.wallMs()) })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/user_tariffs/',
      access: 'user',
      tag,
      summary: 'Lists who has which tariff, and had, the newest first',
      description: 'Users see their own.',
      query: z.object({
        limit: rows,
        after: number('a subscription').optional().meta({ description: '`next` of the page before.' }),
        user_id: number('a user').optional(),
        tariff_id: number('a tariff').optional(),
        status: oneOf(...STATES).optional(),
        current: yesNo
          .optional()
          .meta({ description: 'Only what users have or had last, or only the rest.' }),
        ending_days: whole(1, 366)
          .optional()
          .meta({ description: 'Only those that run, and end within so many days.' }),
        q: text(128).optional().meta({ description: 'A part of the user’s name.' }),
      }),
      replies: {
        200: { description: 'A page of them.', schema: listReply('user_tariffs', UserTariff) },
      },
      faults: [409],
      async handle({ query, caller }) {
        const {
          limit,
          after: before,
          user_id: userId,
          tariff_id: tariffId,
          ending_days: days,
          ...rest
        } = query
        const accountId = ownerOf(caller) ?? undefined
        const found = await book.list({
          limit,
          before,
          userId,
          tariffId,
          accountId,
          ...rest,
          ...(days !== undefined && { endsWithinMs: days * DAY_MS }),
        })
        const page = found.rows.slice(0, limit)
        const last = page.at(-1)
        const isMore = last !== undefined && found.rows.length > limit
        const nowMs = clock.wallMs()
        return json({
          user_tariffs: page.map(row => userTariff(row, nowMs)),
          count: page.length,
          total: found.total,
          next: isMore ? String(last.subscription_id) : null,
        })
      },
    }),
    endpoint({
      method: 'GET',
      path: '/user_tariffs/{id}',
      access: 'user',
      tag,
      summary: 'Tells of one tariff that a user has, or had',
      params,
      replies: one,
      faults: [409],
      handle: async ({ params: { id }, caller }) =>
        json(userTariff(await seen(id, ownerOf(caller)), clock.wallMs())),
    }),
    endpoint({
      method: 'PUT',
      path: '/user_tariffs/{id}',
      access: 'operator',
      tag,
      summary: 'Has what a user has end at another moment',
      description: 'Earlier or later than what was bought; grace follows as always.',
      params,
      body: z.strictObject({ ends_at: instant, reason: text(256) }),
      replies: one,
      faults: [409],
      async handle({ params: { id }, body: { ends_at: endsAtMs, reason }, caller }) {
        const { account_id, account_name, tariff_name: tariff } = await seen(id, null)
        const endsAt = new Date(endsAtMs)
        if (endsAtMs <= clock.wallMs()) throw badRequest('ends_at: wanted a moment to come')
        if (!(await room.transact(tx => book.moveEnd(tx, id, endsAt))))
          throw new HttpError(409, 'ended', `subscription ${id} has ended already`)
        const detail = { subscriptionId: id, tariff, until: endsAt, reason }
        audit({ kind: 'tariff.end_moved', actor: nameOf(caller), subject: account_name, detail })
        entitlements.changed(account_id)
        await entitlements.settled()
        return json(userTariff(await seen(id, null), clock.wallMs()))
      },
    }),
    endpoint({
      method: 'POST',
      path: '/user_tariffs/{id}/cancel',
      access: 'operator',
      tag,
      summary: 'Ends what a user has, now',
      description: 'Without grace: its sessions end within a second.',
      params,
      body: z.strictObject({ reason: text(256) }),
      replies: one,
      faults: [409],
      async handle({ params: { id }, body: { reason }, caller }) {
        const { account_id, account_name, tariff_name: tariff } = await seen(id, null)
        const because = `${nameOf(caller)}: ${reason}`
        if (!(await room.transact(tx => book.end(tx, id, because))))
          throw new HttpError(409, 'ended', `subscription ${id} has ended already`)
        const detail = { subscriptionId: id, tariff, reason }
        audit({ kind: 'tariff.cancelled', actor: nameOf(caller), subject: account_name, detail })
        entitlements.changed(account_id)
        await entitlements.settled()
        return json(userTariff(await seen(id, null), clock.wallMs()))
      },
    }),
  ]
}
