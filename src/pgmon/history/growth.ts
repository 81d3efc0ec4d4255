/** How the largest tables of a database have grown, as they were kept once a day. */
import { sql } from 'kysely'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import type { TableGrowth } from './forms.js'
import type { Span } from './width.js'

/** Tables of one answer; as many are kept of each day. */
const TABLES_MAX = 50

interface Row extends Omit<TableGrowth, 'at'> {
  readonly at: readonly number[]
}

/** Resolves with the tables that were largest within a time, the largest first. */
export async function growthOf(
  room: Room<MonitorTables>,
  wish: Span & { readonly serverId: number; readonly database: string },
): Promise<TableGrowth[]> {
  const { rows } = await room.ask(db =>
    sql<Row>`
      select schema_name as schema, table_name as name,
        json_agg(date_part('epoch', at) * 1000 order by at) as at,
        json_agg(total_bytes order by at) as total_bytes,
        json_agg(bloat_bytes order by at) as bloat_bytes,
        json_agg(live_rows order by at) as live_rows,
        json_agg(dead_rows order by at) as dead_rows,
        json_agg(freeze_age order by at) as freeze_age
      from pgmon_table_samples
      where server_id = ${wish.serverId} and database = ${wish.database}
        and at >= ${new Date(wish.fromMs)} and at < ${new Date(wish.toMs)}
      group by schema_name, table_name
      order by max(total_bytes) desc, schema_name, table_name
      limit ${TABLES_MAX}`.execute(db),
  )
  return rows.map(row => ({ ...row, at: row.at.map(ms => new Date(ms).toISOString()) }))
}
