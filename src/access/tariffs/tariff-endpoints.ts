/** `/tariffs/`: what is sold. Whoever has an account sees it, admins change it. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { text, yesNo } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { isOperator } from '../callers.js'
import { number, TariffCreate, TariffOut, tariffOut } from './forms.js'
import type { Tariffs } from './tariffs.js'

export interface TariffParts {
  readonly tariffs: Tariffs
  readonly audit: PluginHost['audit']
}

const tag = 'tariffs'
const params = z.object({ id: number('a tariff') })
const one = { 200: { description: 'The tariff.', schema: TariffOut } }
const Gone = z.object({ msg: z.literal('tariff deleted'), tariff_id: z.int() })

export const tariffEndpoints = ({ tariffs, audit }: TariffParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/tariffs/',
    access: 'user',
    tag,
    summary: 'Lists what is sold',
    query: z.object({
      ...listQuery('name', 'price'),
      q: text(128).optional().meta({ description: 'A part of the name.' }),
      archived: yesNo.optional().meta({
        description: 'Only what is sold no more, or only the rest. Operators see both when absent.',
      }),
    }),
    replies: { 200: { description: 'A page of tariffs.', schema: listReply('tariffs', TariffOut) } },
    async handle({ query, caller }) {
      const archived = isOperator(caller) ? query.archived : false
      const q = query.q?.toLowerCase() ?? ''
      const all = (await tariffs.all()).filter(
        ({ name, archived_at }) =>
          name.toLowerCase().includes(q) && (archived ?? archived_at !== null) === (archived_at !== null),
      )
      const page = listed(
        'tariffs',
        all,
        query,
        ({ tariff_id }) => String(tariff_id).padStart(NUMBER_WIDTH, '0'),
        ({ name, price }, field) => (field === 'price' ? Number(price) : name),
      )
      return json({ ...page, tariffs: page.tariffs.map(tariffOut) })
    },
  }),
  endpoint({
    method: 'POST',
    path: '/tariffs/',
    access: 'admin',
    tag,
    summary: 'Begins to sell a tariff',
    body: TariffCreate,
    replies: { 201: { description: 'The tariff.', schema: TariffOut } },
    faults: [409],
    async handle({ body, caller }) {
      const tariff = await tariffs.create(body)
      const { tariff_id: tariffId, price, currency } = tariff
      const detail = { tariffId, price, currency }
      audit({ kind: 'tariff.created', actor: nameOf(caller), subject: tariff.name, detail })
      return json(tariffOut(tariff), 201)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/tariffs/{id}',
    access: 'user',
    tag,
    summary: 'Tells of one tariff',
    params,
    replies: one,
    async handle({ params: { id }, caller }) {
      const tariff = await tariffs.of(id)
      if (tariff.archived_at !== null && !isOperator(caller)) throw notFound(`there is no tariff ${id}`)
      return json(tariffOut(tariff))
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/tariffs/{id}',
    access: 'admin',
    tag,
    summary: 'Replaces a tariff, or sells it no more',
    description:
      'Those who have it keep what was granted to them; what is granted from now on is as it says now.',
    params,
    body: TariffCreate,
    replies: one,
    faults: [409],
    async handle({ params: { id }, body, caller }) {
      const tariff = await tariffs.replace(id, body)
      const detail = { tariffId: id, ...body }
      audit({ kind: 'tariff.changed', actor: nameOf(caller), subject: tariff.name, detail })
      return json(tariffOut(tariff))
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/tariffs/{id}',
    access: 'admin',
    tag,
    summary: 'Removes a tariff that nobody ever had',
    description: 'One that is assigned or paid for stays (409): archive it, and it is sold no more.',
    params,
    replies: { 200: { description: 'It is gone.', schema: Gone } },
    faults: [409],
    async handle({ params: { id }, caller }) {
      const { name } = await tariffs.remove(id)
      audit({ kind: 'tariff.removed', actor: nameOf(caller), subject: name, detail: { tariffId: id } })
      return json({ msg: 'tariff deleted', tariff_id: id } satisfies z.output<typeof Gone>)
    },
  }),
]

/** Digits of the largest number: as texts they come in the order of the numbers. */
const NUMBER_WIDTH = 10
