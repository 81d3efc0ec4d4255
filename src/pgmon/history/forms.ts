/** What servers told before, as it is answered. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'

export const COLLECTORS = ['activity', 'sizes', 'disk', 'upkeep'] as const
export type Collector = (typeof COLLECTORS)[number]

/** How wide the points of a history are: the longer it looks back, the wider. */
export const WIDTHS = ['raw', '1h', '4h', '1d'] as const

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
      description: 'Up to 2 days back raw, up to 14 days by hours, up to 90 by 4 hours, then by days.',
    }),
    at: z.array(moment).meta({ description: 'Where each point begins.' }),
    series: z.record(z.string(), Series).meta({
      description: 'By the name of the figure, as `server_stats` has it: as many values as `at` has moments.',
    }),
  })
  .meta({ id: 'MonitorHistory' })
export type History = z.output<typeof History>

export const LogRow = z
  .object({
    id: z.int(),
    at: moment,
    server: z.string().nullable(),
    level: z.enum(['info', 'warn', 'error']),
    kind: z.string(),
    message: z.string(),
  })
  .meta({ id: 'MonitorEvent' })

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
