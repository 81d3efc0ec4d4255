/** `/pgmon/server/{name}/stats` and the same of one database: what was told before. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, notFound } from '../../http/faults.js'
import { instant, oneOf } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { Room } from '../../store/rooms.js'
import type { Looks, Servers } from '../ports.js'
import type { MonitorTables } from '../tables.js'
import { DATABASE_FIGURES, SERVER_FIGURES } from './columns.js'
import { History, TablesGrowth } from './forms.js'
import { growthOf } from './growth.js'
import { isKnown, lookBack, type Points } from './look-back.js'
import { DAY_MS, POINTS_MAX, type Span } from './width.js'

export interface HistoryParts {
  readonly clock: PluginHost['clock']
  readonly room: Room<MonitorTables>
  readonly servers: Servers
  readonly looks: Looks
}

const span = {
  from: instant.optional().meta({ description: 'A day before the end when absent.' }),
  to: instant.optional().meta({ description: 'Now when absent.' }),
}
const figures = <const T extends readonly [string, ...string[]]>(names: T) => ({
  figures: z
    .array(oneOf(...names))
    .min(1, { error: 'wanted at least one figure' })
    .max(names.length)
    .refine(list => new Set(list).size === list.length, { error: 'wanted each figure once' })
    .optional()
    .meta({ description: 'All of them when absent.' }),
})
const shared = {
  method: 'GET',
  access: 'viewer',
  tag: 'databases',
  description: `Means, least and most values; the longer the time, the wider the points, at most ${POINTS_MAX}.`,
  replies: { 200: { description: 'Figures over time.', schema: History } },
} as const

export const historyEndpoints = ({ clock, room, servers, looks }: HistoryParts): readonly Endpoint[] => [
  endpoint({
    ...shared,
    path: '/pgmon/server/{name}/stats',
    summary: 'Tells what a server told before',
    params: z.object({ name: z.string() }),
    query: z.object({ ...span, ...figures(SERVER_FIGURES) }),
    faults: [404],
    async handle({ params: { name }, query }) {
      const { serverId } = servers.called(name)
      const { figures = SERVER_FIGURES } = query
      const wish = { serverId, database: null, figures, ...spanOf(query, clock.wallMs()) }
      return json(told(name, null, await lookBack(room, wish)))
    },
  }),
  endpoint({
    ...shared,
    path: '/pgmon/server/{name}/db/{db}/stats',
    summary: 'Tells what a server told of one of its databases before',
    params: z.object({ name: z.string(), db: z.string() }),
    query: z.object({ ...span, ...figures(DATABASE_FIGURES) }),
    faults: [404],
    async handle({ params: { name, db }, query }) {
      const { serverId } = servers.called(name)
      const { figures = DATABASE_FIGURES } = query
      const wish = { serverId, database: db, figures, ...spanOf(query, clock.wallMs()) }
      const points = await lookBack(room, wish)
      const isThere =
        points.at.length > 0 ||
        looks.last(serverId)?.databases.some(({ name }) => name === db) === true ||
        (await isKnown(room, serverId, db))
      if (!isThere) throw notFound(`${name} has told of no database ${db}`)
      return json(told(name, db, points))
    },
  }),
  endpoint({
    method: 'GET',
    path: '/pgmon/server/{name}/db/{db}/tables/stats',
    access: 'viewer',
    tag: 'databases',
    summary: 'Tells how the largest tables of a database have grown',
    description:
      'As they were kept once a day, unless settings say otherwise. An empty list: nothing is kept of it.',
    params: z.object({ name: z.string(), db: z.string() }),
    query: z.object({
      from: instant.optional().meta({ description: '30 days before the end when absent.' }),
      to: span.to,
    }),
    replies: { 200: { description: 'Its tables, the largest first.', schema: TablesGrowth } },
    faults: [404],
    async handle({ params: { name, db: database }, query }) {
      const { serverId } = servers.called(name)
      const { fromMs, toMs } = spanOf(query, clock.wallMs(), MONTH_MS)
      const tables = await growthOf(room, { serverId, database, fromMs, toMs })
      return json({ name, database, from: iso(fromMs), to: iso(toMs), tables } satisfies TablesGrowth)
    },
  }),
]

const MONTH_MS = 30 * DAY_MS

function spanOf(
  { from, to }: { from?: number | undefined; to?: number | undefined },
  nowMs: number,
  usualMs: number = DAY_MS,
): Span {
  const toMs = to ?? nowMs
  const fromMs = from ?? Math.max(0, toMs - usualMs)
  if (fromMs >= toMs) throw badRequest('from: wanted a time before `to`')
  if (toMs - fromMs > (POINTS_MAX - 1) * DAY_MS)
    throw badRequest(`from: wanted a time less than ${POINTS_MAX} days before \`to\``)
  return { fromMs, toMs }
}

const told = (name: string, database: string | null, points: Points): History => ({
  name,
  database,
  from: iso(points.fromMs),
  to: iso(points.toMs),
  width: points.width,
  at: points.at.map(iso),
  series: points.series as History['series'], // readonly arrays, which JSON does not tell
})

const iso = (ms: number): string => new Date(ms).toISOString()
