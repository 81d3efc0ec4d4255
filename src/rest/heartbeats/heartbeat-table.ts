/** Servers and their heartbeats in the database; each beat is added to the history in the transaction that keeps it. */
import { sql, type Transaction } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { writeSamples } from '../history/write-samples.js'
import { FIGURE_FIELDS, figuresOf, type Heartbeat } from './heartbeat.js'

export interface ReceivedBeat {
  readonly beat: Heartbeat
  /** ms since 1970 UTC */
  readonly atMs: number
}

export interface Kept {
  readonly id: number
  /** This beat made its server known. */
  readonly isFirst: boolean
}

/** A server's last day. */
export interface ServerStats {
  readonly lastHeartbeatAt: Date | null
  readonly count: number
  readonly cpuPct: number | null
  readonly memUsedPct: number | null
  readonly latencyMs: number | null
}

type Tx = Transaction<RestDatabase>

export class HeartbeatTable {
  readonly #room: Room<RestDatabase>

  constructor(room: Room<RestDatabase>) {
    this.#room = room
  }

  /** Writes all or none; resolves with a row for each. */
  keep(beats: readonly ReceivedBeat[]): Promise<readonly Kept[]> {
    return this.#room.transact(async tx => {
      const strangers = await writeServers(tx, beats)
      const ids = await writeBeats(tx, beats)
      await writeSamples(
        tx,
        beats.map(({ beat, atMs }) => ({
          id: beat.server_id,
          source: 'heartbeat' as const,
          atMs,
          figures: figuresOf(beat),
        })),
      )
      return beats.map(({ beat }, i) => ({
        id: ids[i] as number, // one for each
        isFirst: strangers.delete(beat.server_id),
      }))
    })
  }

  servers(): Promise<readonly RestDatabase['vpn_servers'][]> {
    return this.#room.ask(db => db.selectFrom('vpn_servers').selectAll().execute())
  }

  async isKnown(serverId: string): Promise<boolean> {
    const found = await this.#room.ask(db =>
      db.selectFrom('vpn_servers').select('server_id').where('server_id', '=', serverId).executeTakeFirst(),
    )
    return found !== undefined
  }

  /** Changes what an operator says of a server; resolves with the row, or undefined when there is none. */
  describe(
    serverId: string,
    change: Partial<Pick<RestDatabase['vpn_servers'], 'name' | 'description' | 'is_active'>>,
  ): Promise<RestDatabase['vpn_servers'] | undefined> {
    return this.#room.ask(db =>
      db
        .updateTable('vpn_servers')
        .set(change)
        .where('server_id', '=', serverId)
        .returningAll()
        .executeTakeFirst(),
    )
  }

  stats(serverId: string, sinceMs: number): Promise<ServerStats> {
    return this.#room.ask(async db => {
      const { rows } = await sql<ServerStats>`
        select
          (select last_heartbeat_at from vpn_servers where server_id = ${serverId}) as "lastHeartbeatAt",
          count(*)::integer as count,
          avg(cpu_total_pct) as "cpuPct",
          avg(100 * (1 - mem_free_mb / nullif(mem_total_mb, 0))) as "memUsedPct",
          avg(latency_p50_ms) as "latencyMs"
        from server_heartbeats
        where server_id = ${serverId} and received_at > ${new Date(sinceMs)}`.execute(db)
      return rows[0] as ServerStats // an aggregate has one row
    })
  }

  /** Resolves with heartbeats, the newest first, and how many there are. */
  heartbeats(
    serverId: string,
    { limit, offset }: { readonly limit: number; readonly offset: number },
  ): Promise<{ readonly rows: readonly RestDatabase['server_heartbeats'][]; readonly total: number }> {
    return this.#room.ask(async db => {
      const all = db.selectFrom('server_heartbeats').where('server_id', '=', serverId)
      const { total } = await all
        .select(({ fn }) => fn.countAll<string | number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await all.selectAll().orderBy('id', 'desc').limit(limit).offset(offset).execute()
      return { rows, total: Number(total) }
    })
  }

  /** Deletes at most `rows` heartbeats from before this moment; resolves with whether there may be more. */
  async prune(beforeMs: number, rows: number): Promise<boolean> {
    const { numAffectedRows = 0n } = await this.#room.ask(db =>
      sql`
        delete from server_heartbeats where ctid = any (array(
          select ctid from server_heartbeats where received_at < ${new Date(beforeMs)} limit ${rows}
        ))`.execute(db),
    )
    return numAffectedRows === BigInt(rows)
  }
}

/** Resolves with the servers that were not known before. */
async function writeServers(tx: Tx, beats: readonly ReceivedBeat[]): Promise<Set<string>> {
  const newest = new Map(beats.map(({ beat, atMs }) => [beat.server_id, atMs]))
  // In one order, so that two coordinators never wait for each other in a ring.
  const servers = [...newest].sort(([a], [b]) => (a < b ? -1 : 1))
  const { rows } = await sql<{ server_id: string; is_new: boolean }>`
    insert into vpn_servers as known (server_id, name, created_at, last_heartbeat_at)
    select server_id, server_id, to_timestamp(at / 1000), to_timestamp(at / 1000)
    from unnest(
      ${column(servers, ([id]) => id)}::text::text[],
      ${column(servers, ([, atMs]) => atMs)}::text::float8[]
    ) as row (server_id, at)
    on conflict (server_id) do update set
      last_heartbeat_at = greatest(known.last_heartbeat_at, excluded.last_heartbeat_at)
    -- Only a row that was there has been locked by this transaction.
    returning server_id, xmax = 0 as is_new`.execute(tx)
  return new Set(rows.filter(({ is_new }) => is_new).map(({ server_id }) => server_id))
}

/** Resolves with their ids in the same order. */
async function writeBeats(tx: Tx, beats: readonly ReceivedBeat[]): Promise<readonly number[]> {
  const texts = (['server_id', 'iface', 'ping_target', 'load1'] as const).map(
    name => [name, column(beats, ({ beat }) => beat[name]), sql`text[]`, sql.ref(name)] as const,
  )
  const figures = FIGURE_FIELDS.map(
    name => [name, column(beats, ({ beat }) => beat[name]), sql`float8[]`, sql.ref(name)] as const,
  )
  const times = (
    [
      ['received_at', ({ atMs }: ReceivedBeat) => atMs],
      ['generated_at', ({ beat }: ReceivedBeat) => beat.generated_at],
      ['ready_at', ({ beat }: ReceivedBeat) => beat.ready_at],
    ] as const
  ).map(
    ([name, cellOf]) =>
      [name, column(beats, cellOf), sql`float8[]`, sql`to_timestamp(${sql.ref(name)} / 1000)`] as const,
  )
  const columns = [...texts, ...times, ...figures]
  const names = sql.join(columns.map(([name]) => sql.ref(name)))
  // Ids are given in the order of the rows.
  const { rows } = await sql<{ id: number }>`
    insert into server_heartbeats (${names})
    select ${sql.join(columns.map(([, , , value]) => value))}
    from unnest(${sql.join(columns.map(([, cells, type]) => sql`${cells}::text::${type}`))})
      with ordinality as row (${names}, place)
    order by place
    returning id`.execute(tx)
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}
