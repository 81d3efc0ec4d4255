/** What servers told before, and how it is kept, as it is answered. */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'

export const COLLECTORS = ['activity', 'sizes', 'disk', 'upkeep'] as const
export type Collector = (typeof COLLECTORS)[number]

/** How wide the points of a history are: the longer the time that it tells of, the wider. */
export const WIDTHS = ['raw', '1h', '4h', '1d'] as const
export type Width = (typeof WIDTHS)[number]

const figure = z.number().nullable()

/** One figure over time: its mean in each point, and the least and the most, which are the same when points are raw. */
const Series = z.object({ mean: z.array(figure), min: z.array(figure), max: z.array(figure) })

export const History = z
  .object({
    name: z.string(),
    database: z.string().nullable().meta({ description: 'Null: of the whole server.' }),
    from: moment,
    to: moment,
    width: z.enum(WIDTHS).meta({
      description:
        'Of a time of up to 2 days raw, up to 14 days by hours, up to 90 by 4 hours, then by days, all of UTC.',
    }),
    at: z.array(moment).meta({
      description: 'Where each point begins. There is none of a time in which nothing was kept.',
    }),
    series: z.record(z.string(), Series).meta({
      description:
        'By the name of the figure: as many values as `at` has moments. Sizes and disks are kept more rarely than the rest: raw, they are null in between, unless they are asked for by themselves.',
    }),
  })
  .meta({ id: 'MonitorHistory' })
export type History = z.output<typeof History>

/** A table over time: as many values as moments. */
export const TableGrowth = z
  .object({
    schema: z.string(),
    name: z.string(),
    at: z.array(moment),
    total_bytes: z.array(z.number()),
    bloat_bytes: z.array(figure),
    live_rows: z.array(z.number()),
    dead_rows: z.array(z.number()),
    freeze_age: z.array(z.number()),
  })
  .meta({ id: 'TableGrowth' })
export type TableGrowth = z.output<typeof TableGrowth>

export const TablesGrowth = z
  .object({ name: z.string(), database: z.string(), from: moment, to: moment, tables: z.array(TableGrowth) })
  .meta({ id: 'TablesGrowth' })
export type TablesGrowth = z.output<typeof TablesGrowth>

export const LEVELS = ['info', 'warn', 'error'] as const

export const LogRow = z
  .object({
    id: z.int(),
    at: moment,
    server: z.string().nullable(),
    level: z.enum(LEVELS),
    kind: z.string(),
    message: z.string(),
  })
  .meta({ id: 'MonitorEvent' })
export type LogRow = z.output<typeof LogRow>

const count = z.int()

export const LogCounts = z
  .object({
    from: moment,
    to: moment,
    total: count,
    levels: z.object({ info: count, warn: count, error: count }),
    kinds: z.array(z.object({ kind: z.string(), count })),
    days: z
      .array(z.object({ day: z.iso.date(), count }))
      .meta({ description: 'Of UTC; those on which nothing happened are left out.' }),
  })
  .meta({ id: 'MonitorEventCounts' })
export type LogCounts = z.output<typeof LogCounts>

/** When a collector visits a server. */
export const RoundForm = z
  .object({
    server: z.string(),
    collector: oneOf(...COLLECTORS),
    every_s: z.int(),
    due_at: moment.meta({ description: 'When it comes next.' }),
    ended_at: moment.nullable().meta({ description: 'When it was there last; null: not yet.' }),
    took_ms: z.int().nullable(),
    error: z
      .string()
      .nullable()
      .meta({ description: 'Why nothing came of the last visit; null: it was good.' }),
  })
  .meta({ id: 'MonitorRound' })
export type RoundForm = z.output<typeof RoundForm>

/** What admins may set while it runs. */
export const SettingsForm = z
  .object({
    activity_minutes: z.int().meta({ description: 'How often connections and work are kept.' }),
    sizes_minutes: z.int().meta({ description: 'How often sizes of databases are kept.' }),
    disk_minutes: z.int().meta({ description: 'How often file systems are kept.' }),
    upkeep_hours: z.int().meta({ description: 'How often the largest tables are kept.' }),
    history_months: z.int().meta({ description: 'How long all of these are kept.' }),
    logs_days: z.int().meta({ description: 'How long events are kept.' }),
  })
  .meta({ id: 'MonitorSettings' })
export type SettingsForm = z.output<typeof SettingsForm>

/** What came of a visit that somebody asked for. */
export const VisitForm = z
  .object({
    collector: oneOf(...COLLECTORS),
    took_ms: z.int(),
    samples: z.int().meta({ description: 'Of the server, its databases and its tables, that were written.' }),
    error: z.string().nullable().meta({ description: 'Why nothing came of it; null: it was good.' }),
  })
  .meta({ id: 'MonitorVisit' })
export type VisitForm = z.output<typeof VisitForm>
