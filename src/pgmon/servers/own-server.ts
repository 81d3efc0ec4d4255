/** The coordinator’s own database among the servers that are watched: there from the first start on, and as the settings are. */
import { sql } from 'kysely'
import type { Ground } from '../part.js'
import type { Tls } from '../ports.js'

/** Its name, unless another server has it. */
const NAME = 'coordinator'

interface Own {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly username: string
  readonly tls: Tls
}

/** Resolves when the own database has its row, whichever coordinator made it. */
export async function keepOwnServer(ground: Ground): Promise<void> {
  const own = await ownOf(ground)
  for (let n = 1; ; n++) {
    if (await isKept(ground, own)) return
    await add(ground, own, n === 1 ? NAME : `${NAME}-${n}`)
  }
}

/** Resolves with whether it has a row; what the settings say is written into it. */
async function isKept({ host, room }: Ground, own: Own): Promise<boolean> {
  const row = await room.ask(db =>
    db.selectFrom('pgmon_servers').selectAll().where('is_own', '=', true).executeTakeFirst(),
  )
  if (row === undefined) return false
  const isTrue = (Object.keys(own) as (keyof Own)[]).every(field => row[field] === own[field])
  if (isTrue) return true
  const changedAt = new Date(Math.max(host.clock.wallMs(), row.changed_at.getTime() + 1))
  await room.ask(db =>
    db
      .updateTable('pgmon_servers')
      .set({ ...own, changed_at: changedAt })
      .where('server_id', '=', row.server_id)
      .execute(),
  )
  return true
}

/** Adds it, unless another coordinator was first, or another server has the name. */
async function add({ host, room }: Ground, own: Own, name: string): Promise<void> {
  const now = new Date(host.clock.wallMs())
  await room.ask(db =>
    db
      .insertInto('pgmon_servers')
      .values({
        ...own,
        name,
        is_own: true,
        is_enabled: true,
        description: 'The coordinator’s own database',
        pool: 'default',
        ssh_port: 22,
        ssh_user: 'boson',
        ssh_auth: 'none',
        created_by: 'coordinator',
        created_at: now,
        changed_at: now,
      })
      .onConflict(conflicting => conflicting.doNothing())
      .execute(),
  )
}

async function ownOf({ host, room }: Ground): Promise<Own> {
  const asked = sql<{
    database: string
    username: string
  }>`select current_database() as database, current_user::text as username`
  const { rows } = await room.ask(db => asked.execute(db))
  const { database = '', username = '' } = rows[0] ?? {}
  const { databaseUrl } = host.config
  if (databaseUrl === null || room.kind === 'pglite')
    return { host: '', port: 0, database, username, tls: 'disable' }
  const url = new URL(databaseUrl)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5_432),
    database,
    username,
    tls: tlsOf(url.searchParams.get('sslmode')),
  }
}

/** What pg makes of `sslmode`: whatever asks for TLS at all has the certificate looked at. */
const tlsOf = (mode: string | null): Tls =>
  mode === null || mode === 'disable' ? 'disable' : mode === 'no-verify' ? 'require' : 'verify-full'
