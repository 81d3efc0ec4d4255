/** `/api/v1/traffic`: bytes by identity or by pair, for people, programs and spreadsheets. */
import { z } from 'zod'
import { mustBe } from '../../http/caller.js'
import { csv } from '../../http/csv.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest } from '../../http/faults.js'
import { id, instant, moment, oneOf } from '../../http/fields.js'
import { cursorOf, type ListCursor, listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json, text } from '../../http/reply.js'
import type { Clock } from '../../kit/clock.js'
import type { Room } from '../../store/index.js'
import { cut, momentOf } from '../page.js'
import { type ReportTables, WIDTHS } from '../tables.js'
import { type Mark, type Row, type Sums, sumUp, type Wish } from './sums.js'

const DAY_MS = 86_400_000
/** Sums over a longer time are made of days. */
const BY_HOUR_MS = 8 * DAY_MS

const Bytes = {
  bytes: z.int(),
  relayedBytes: z.int(),
  turnedBytes: z.int().meta({ description: 'By way of a TURN server.' }),
  directBytes: z.int(),
}
const timestamp = moment.nullable().meta({ description: 'Begin of the bucket; null: all of the time.' })
const OfIdentity = z.object({ timestamp, identity: id, sentBytes: z.int(), receivedBytes: z.int(), ...Bytes })
const OfPair = z.object({
  timestamp,
  clientId: id,
  nodeId: id,
  toNodeBytes: z.int(),
  toClientBytes: z.int(),
  ...Bytes,
})

const Query = z.object({
  ...listQuery('timestamp', 'bytes'),
  by: oneOf('identity', 'pair').default('identity'),
  from: instant.optional().meta({ description: 'A day before `to`, when absent.' }),
  to: instant.optional().meta({ description: 'Now, when absent.' }),
  interval: oneOf('hour', 'day', 'all')
    .default('all')
    .meta({ description: '`all`: one row for all of the time.' }),
  identity: id.optional().meta({ description: 'Only what it sent and received.' }),
  format: oneOf('json', 'csv').optional().meta({ description: 'Or by the header `Accept: text/csv`.' }),
})

export const trafficEndpoint = (parts: {
  readonly room: Room<ReportTables>
  readonly clock: Pick<Clock, 'wallMs'>
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/traffic',
    access: 'agent',
    tag: 'traffic',
    summary: 'Sum up what went over the mesh',
    description:
      'Payload as the agents count it, within about a minute. Whole hours or days of UTC; the first one may begin before `from`. An agent sees its own. With `format=csv` a page of a table, and `Link` leads to the next.',
    query: Query,
    replies: {
      200: {
        description: 'The sums.',
        schema: listReply('traffic', z.union([OfIdentity, OfPair])).extend({
          from: moment,
          until: moment,
          totals: z.object(Bytes).meta({ description: 'Of all that meets the filters, each byte once.' }),
        }),
      },
    },
    handle: async ({ query, caller, headers }) => {
      const { limit, interval } = query
      const identity = query.identity ?? (caller.kind === 'agent' ? caller.id : undefined)
      if (caller.kind === 'agent' && identity !== undefined) mustBe(caller, identity)
      const toMs = query.to ?? parts.clock.wallMs()
      const wantedMs = query.from ?? toMs - DAY_MS
      if (wantedMs >= toMs) throw badRequest('from: wanted a time before `to`')
      const width = interval === 'all' ? (toMs - wantedMs <= BY_HOUR_MS ? 'hour' : 'day') : interval
      const fromMs = wantedMs - (wantedMs % WIDTHS[width])
      const sort = query.sort ?? (interval === 'all' ? '-bytes' : 'timestamp')
      const found = await sumUp(parts.room, {
        by: query.by,
        identity: identity ?? null,
        width,
        fromMs,
        toMs,
        isSplit: interval !== 'all',
        key: sort.endsWith('bytes') ? 'bytes' : 'timestamp',
        isDown: sort.startsWith('-'),
        after: query.after === undefined ? null : readMark(query.after),
        limit: limit + 1,
      })
      const { page, next } = cut(found.rows, limit, cursorOfRow)
      const rows = page.map(row => (query.by === 'pair' ? ofPair(row) : ofIdentity(row)))
      const reply = listReplyOf('traffic', { rows, total: found.total, next })
      const wantsTable = query.format ?? (/\btext\/csv\b/.test(headers.get('accept') ?? '') ? 'csv' : 'json')
      if (wantsTable === 'csv') {
        const rest = new URLSearchParams()
        for (const [name, value] of Object.entries({ ...query, from: fromMs, to: toMs, after: reply.next }))
          if (value != null) rest.set(name, String(value))
        return text(tableOf(rows, query.by), 'text/csv; charset=utf-8', 200, {
          'Content-Disposition': 'attachment; filename="traffic.csv"',
          ...(next !== null && { Link: `<?${rest.toString()}>; rel="next"` }),
        })
      }
      return json({
        ...reply,
        from: new Date(fromMs),
        until: new Date(toMs),
        totals: bytesOf(found.totals),
      })
    },
  })

const bytesOf = ({ bytes, relayed, turned, direct }: Sums) => ({
  bytes,
  relayedBytes: relayed,
  turnedBytes: turned,
  directBytes: direct,
})

const ofIdentity = (row: Row): z.input<typeof OfIdentity> => ({
  timestamp: row.at?.toISOString() ?? null,
  identity: row.one,
  sentBytes: row.sent,
  receivedBytes: row.received,
  ...bytesOf(row),
})

const ofPair = (row: Row): z.input<typeof OfPair> => ({
  timestamp: row.at?.toISOString() ?? null,
  clientId: row.one,
  nodeId: row.other,
  toNodeBytes: row.sent,
  toClientBytes: row.received,
  ...bytesOf(row),
})

/** Returns the rows as a table whose columns are called as the fields are. */
function tableOf(
  rows: readonly (ReturnType<typeof ofIdentity> | ReturnType<typeof ofPair>)[],
  by: Wish['by'],
): string {
  const names = Object.keys(by === 'pair' ? OfPair.shape : OfIdentity.shape)
  return csv(
    rows.map(row => row as Readonly<Record<string, string | number | null>>), // all of its fields are
    Object.fromEntries(names.map(name => [name, row => row[name] ?? null])),
  )
}

/** Ids have no spaces. */
const cursorOfRow = ({ bytes, at, one, other }: Row): ListCursor => [
  bytes,
  `${at?.getTime() ?? 0} ${one} ${other}`,
]

function readMark(after: string): Mark {
  const [bytes, id] = cursorOf(after)
  const [atMs, one = '', other = ''] = id.split(' ')
  return { bytes: Number(bytes), at: momentOf(Number(atMs)), one, other }
}
