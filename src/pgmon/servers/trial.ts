/** A connection that is made to see whether it can be, and what the role may do there. */
import { z } from 'zod'
import { ServerFault } from '../databases/errors.js'
import type { Asking, Databases, Server } from '../ports.js'

export const TrialForm = z
  .object({
    ok: z.boolean(),
    message: z.string(),
    version: z.string().nullable(),
    role: z
      .object({
        name: z.string(),
        is_superuser: z.boolean(),
        is_monitor: z.boolean().meta({ description: 'It is a member of pg_monitor.' }),
        can_signal: z.boolean().meta({ description: 'It may cancel and terminate sessions of others.' }),
      })
      .nullable(),
    is_replica: z.boolean().nullable(),
    is_encrypted: z.boolean().nullable(),
    warnings: z.array(z.string()).meta({ description: 'What could be better, and how.' }),
    took_ms: z.number(),
  })
  .meta({ id: 'ServerTrial' })
type TrialForm = z.output<typeof TrialForm>

interface Found {
  readonly version: string
  readonly name: string
  readonly is_superuser: boolean
  readonly is_monitor: boolean
  readonly can_signal: boolean
  readonly is_replica: boolean
  readonly is_encrypted: boolean
  readonly has_statements: boolean
}

const LOOK = `
  select current_setting('server_version') as version,
         current_user::text as name,
         rolsuper as is_superuser,
         pg_has_role('pg_monitor', 'usage') as is_monitor,
         pg_has_role('pg_signal_backend', 'usage') as can_signal,
         pg_is_in_recovery() as is_replica,
         coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as is_encrypted,
         exists (select from pg_extension where extname = 'pg_stat_statements') as has_statements
    from pg_roles where rolname = current_user`

/** Resolves with what came of connecting to a server now, whether it went well or not. */
export async function tryServer(databases: Databases, server: Server, now: () => number): Promise<TrialForm> {
  const beganMs = now()
  const tookMs = () => Math.round(now() - beganMs)
  try {
    const found = await databases.useNew(server, look)
    return { ...told(found), warnings: warningsOf(server, found), took_ms: tookMs() }
  } catch (error) {
    if (!(error instanceof ServerFault)) throw error
    const nothing = { version: null, role: null, is_replica: null, is_encrypted: null, warnings: [] }
    return { ok: false, message: error.message, ...nothing, took_ms: tookMs() }
  }
}

async function look(db: Asking): Promise<Found> {
  const [found] = await db.ask<Found>(LOOK)
  if (found === undefined) throw new ServerFault('SERVER_REFUSED', 'it does not know the role that we are')
  return found
}

const told = ({ version, name, is_replica, is_encrypted, ...role }: Found) => ({
  ok: true,
  message: `PostgreSQL ${version} answers`,
  version: version.split(' ')[0] ?? version,
  role: {
    name,
    is_superuser: role.is_superuser,
    is_monitor: role.is_monitor,
    can_signal: role.can_signal,
  },
  is_replica,
  is_encrypted,
})

function warningsOf(server: Server, found: Found): string[] {
  const role = `"${found.name.replaceAll('"', '""')}"`
  const rights: readonly Advice[] = [
    [!found.is_monitor, `much stays unknown without: GRANT pg_monitor TO ${role}`],
    [!found.can_signal, `to cancel and terminate sessions of others: GRANT pg_signal_backend TO ${role}`],
    [!found.has_statements, 'slow queries are told by pg_stat_statements: preload it, and CREATE EXTENSION'],
  ]
  // What the mesh itself may do in its own database is not the monitor's affair.
  const way: readonly Advice[] = [
    [found.is_superuser, `${role} is a superuser: a role of its own with pg_monitor is enough`],
    [!found.is_encrypted, 'the connection is not encrypted: set tls to require or verify-full'],
    [
      found.is_encrypted && server.tls === 'require',
      'nobody looks at its certificate: set tls to verify-full',
    ],
  ]
  return [...rights, ...(server.isOwn ? [] : way)].flatMap(([applies, words]) => (applies ? [words] : []))
}

type Advice = readonly [applies: boolean, words: string]
