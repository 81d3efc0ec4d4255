/** Clearing out what is over for longer than it is kept, a bounded number of rows at a time. */
import { sql, type Transaction } from 'kysely'
import type { Database } from './database.js'
import type { Retention } from './retention.js'

/** Returns whether there may be more to clear out. */
export async function prune(
  tx: Transaction<Database>,
  retention: Retention,
  nowMs: number,
): Promise<boolean> {
  const { endedMs, pathsMs, auditMs, rows } = retention
  const ended = new Date(nowMs - endedMs)
  const audit = new Date(nowMs - auditMs)
  const sessions = await sql`
    delete from sessions where session_id in (
      select session_id from sessions where closed_at < ${ended} limit ${rows}
    )`.execute(tx)
  const routes = await sql`
    delete from routes where route_id in (
      select route_id from routes where ended_at < ${ended} limit ${rows}
    )`.execute(tx)
  const paths = await sql`
    delete from paths where path_id in (
      select path_id from paths where closed_at < ${new Date(nowMs - pathsMs)} limit ${rows}
    )`.execute(tx)
  const events = await sql`
    delete from audit_events where seq in (
      select seq from audit_events where at < ${audit} limit ${rows}
    )`.execute(tx)
  return [sessions, routes, paths, events].some(result => result.numAffectedRows === BigInt(rows))
}
