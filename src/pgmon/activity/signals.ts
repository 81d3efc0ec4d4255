/**
 * Cancels what a session does, or ends it. The session is named by its pid and by when it began, in the statement
 * that signals it: a pid that was given to another one meanwhile is not hit.
 */
import { HttpError, notFound } from '../../http/faults.js'
import type { Asking, Server } from '../ports.js'
import type { Session } from './forms.js'
import { SESSION_COLUMNS, sessionOf, type SessionRow, STARTED_AT } from './sessions.js'
import { isRefusal, NO_RIGHT } from './sql-state.js'

export const SIGNALS = ['cancel', 'terminate'] as const
export type Signal = (typeof SIGNALS)[number]

/** What may be signalled; the rest are the server’s own affairs, and start again by themselves. */
const KINDS: Readonly<Record<Signal, readonly string[]>> = {
  cancel: ['client backend', 'autovacuum worker'],
  terminate: ['client backend'],
}

const FUNCTIONS: Readonly<Record<Signal, string>> = {
  cancel: 'pg_cancel_backend',
  terminate: 'pg_terminate_backend',
}

const statementOf = (signal: Signal) => `
with session as materialized (
  select ${SESSION_COLUMNS}, '{}'::int[] as blocked_by
  from pg_catalog.pg_stat_activity a where a.pid = $1 and ${STARTED_AT} = $2
)
select *, case when not is_ours and kind = any ($3::text[]) then ${FUNCTIONS[signal]}(pid) end as signalled
from session`

/** Resolves with the session that was told; throws a 404 when there is none any more, and a 409 when it may not be told. */
export async function signalled(
  db: Asking,
  server: Server,
  signal: Signal,
  { pid, startedAt }: { readonly pid: number; readonly startedAt: string },
): Promise<Session> {
  if (db.kind === 'pglite') throw mayNot('the embedded database has one session, which is ours')
  const [row] = await db
    .ask<SessionRow & { readonly signalled: boolean | null }>(statementOf(signal), [
      pid,
      startedAt,
      KINDS[signal],
    ])
    .catch((error: unknown) => {
      throw isRefusal(error, NO_RIGHT) ? lacking(server) : error
    })
  // False: it ended between the look and the signal.
  if (row === undefined || row.signalled === false)
    throw notFound(`${server.name} has no session ${pid} that began at ${startedAt}`)
  if (row.is_ours) throw mayNot(`session ${pid} is the monitor’s own`)
  if (row.signalled === null)
    throw mayNot(`session ${pid} is a ${row.kind}: ${signal} is for ${KINDS[signal].join(' and ')}`)
  return sessionOf(row, 'text')
}

const mayNot = (why: string) => new HttpError(409, 'session_protected', why)

const lacking = ({ user }: Server) =>
  new HttpError(
    409,
    'server_refused',
    `the role ${user} may not signal sessions of other roles: \`GRANT pg_signal_backend TO …\` lets it; sessions of superusers are for superusers`,
  )
