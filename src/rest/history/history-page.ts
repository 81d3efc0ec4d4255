/** `GET /api/v1/metrics/{nodeId}/history`: what a node's figures were. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest } from '../../http/faults.js'
import { oneOf } from '../../http/fields.js'
import { cursorOf, listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import { named } from './figures.js'
import { type Interval, INTERVALS, LENGTH_MS, type Span, widened } from './intervals.js'
import {
  type HistoryPages,
  iso,
  mustSee,
  params,
  rowReply,
  spanOf,
  spanQuery,
  spanReply,
  toldSample,
  toldSums,
} from './pages.js'
import { keptSince } from './retention.js'

/** Rows of an answer when nobody says by which interval: the finest that needs no more than these is taken. */
const ROWS_WANTED = 1_000
/** No moment is later: the year 9999, ms. */
const MOMENT_MAX_MS = 253_402_300_800_000

export const historyPage = (pages: HistoryPages): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/metrics/{nodeId}/history',
    access: 'agent',
    tag: 'metrics',
    summary: 'What a node’s figures were',
    description:
      'By minute, hour or day: averages, and of counters by how much they grew; `figures` has the least and the greatest too. `sample`: each sample as it was told. Without an interval, the finest that is kept and needs no more than a thousand rows.',
    params,
    query: z.object({
      ...spanQuery,
      interval: oneOf('sample', ...INTERVALS).optional(),
      ...listQuery('timestamp'),
    }),
    replies: {
      200: {
        description: 'Rows in the order of time.',
        schema: listReply('metrics', rowReply).extend({
          nodeId: z.string(),
          interval: oneOf('sample', ...INTERVALS),
          ...spanReply,
        }),
      },
    },
    faults: [403, 404],
    async handle({ caller, params: { nodeId }, query }) {
      await mustSee(pages, caller, nodeId)
      const { clock, history } = pages
      const nowMs = clock.wallMs()
      const asked = spanOf(query, nowMs)
      const interval = query.interval ?? finestFor(asked, keptSince(history.kept, nowMs))
      const span = interval === 'sample' ? asked : widened(interval, asked)
      const wish = {
        limit: query.limit + 1,
        newestFirst: query.sort === '-timestamp',
        after: query.after === undefined ? null : placeOfCursor(query.after),
      }
      const found =
        interval === 'sample'
          ? await history.table.samples(nodeId, span, wish)
          : await history.table.sums(nodeId, interval, span, wish)
      const page = found.rows.slice(0, query.limit)
      const rows = page.map(row => ({
        timestamp: iso(row.atMs),
        ...('sums' in row ? toldSums(row.sums) : toldSample(named<number>(row.figures))),
      }))
      const last = page.at(-1)
      const isMore = last !== undefined && found.rows.length > page.length
      return json({
        nodeId,
        interval,
        startTime: iso(span.fromMs),
        endTime: iso(span.toMs),
        ...listReplyOf('metrics', {
          rows,
          total: found.total,
          next: isMore ? [last.atMs, 'sums' in last ? '' : last.source] : null,
        }),
      })
    },
  })

function placeOfCursor(after: string): readonly [atMs: number, source: string] {
  const [atMs, source] = cursorOf(after)
  if (typeof atMs === 'number' && atMs >= 0 && atMs < MOMENT_MAX_MS) return [atMs, source]
  throw badRequest('after: wanted `next` of the page before')
}

const finestFor = ({ fromMs, toMs }: Span, since: Readonly<Record<Interval, number>>): Interval =>
  INTERVALS.find(
    interval => since[interval] <= fromMs && (toMs - fromMs) / LENGTH_MS[interval] <= ROWS_WANTED,
  ) ?? 'day'
