/**
 * A snapshot alone in this process: what the mesh does when all its nodes have changed, or the least that moves
 * the same rows into the same tables.
 *
 *   snapshot.js ours <database> <nodes>    the actors' Snapshots over the store, journal and all
 *   snapshot.js copy <database> <nodes>    lines that are ready: COPY to a temporary table, and one upsert from it
 *
 * Both find the nodes of an older generation in the tables. `write` makes them newer.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import type { Identity, StoredSession } from '../../src/actors/ports.js'
import { Snapshots } from '../../src/actors/snapshot/snapshots.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { openJournal, openStore } from '../../src/store/index.js'
import { attend } from './control.js'
import { copyIn } from './copy-in.js'
import { populationOf } from './population.js'

export interface Written {
  /** From the order to the commit, ms. */
  readonly tookMs: number
  readonly cpuMicros: number
  /** How late the event loop was meanwhile. */
  readonly late: Late
}
export interface Late {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Every this many ms the loop is looked at; the look's own period is taken off. */
const LOOK_MS = 1
/** Of a loop with nothing to do, to compare with. */
const IDLE_MS = 1_000
/** Nobody's snapshot comes by itself. */
const NEVER_MS = 2 ** 30
/** Lines that travel together, bytes. */
const CHUNK_BYTES = 65_536

const [mode, databaseUrl = '', nodes] = process.argv.slice(2)
const count = Number(nodes)
/** The networks of the population's addresses. */
const STORE = { databaseUrl, overlay4: '10.64.0.0/10', overlay6: 'fd77:b050::/64' }

/** Every node's rows in generation `generation`. */
function population(generation: number): { identities: Identity[]; sessions: StoredSession[] } {
  const { identities, sessions } = populationOf({ nodes: count })
  return {
    identities: identities.map(one => ({ ...one, generation })),
    sessions: sessions.map(one => ({ ...one, generation, state: 'online', changedAtMs: Date.now() })),
  }
}

async function ours(): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'boson-bench-'))
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
  const store = await openStore(STORE)
  const snapshots = new Snapshots({
    clock: systemClock,
    random: systemRandom,
    store,
    // No compaction in between: the journal is measured with the registrations that it belongs to.
    journal: openJournal(dataDir, { limitBytes: Number.POSITIVE_INFINITY }),
    everyMs: NEVER_MS,
    audited: () => undefined,
    warn: (fields, message) =>
      process.stderr.write(`${message} ${String((fields as { err: unknown }).err)}\n`),
  })
  snapshots.start()
  const changed = (generation: number) => {
    const { identities, sessions } = population(generation)
    for (const value of identities) snapshots.touch({ kind: 'identity', key: value.id, value })
    for (const value of sessions) snapshots.touch({ kind: 'session', key: value.sessionId, value })
  }
  const flush = async () => {
    if (!(await snapshots.flush())) throw new Error('the store did not take the snapshot')
  }
  changed(1)
  await flush()
  changed(2)
  return flush
}

/** The tables, the columns in which their rows come, and those that a newer generation changes. */
const TABLES = {
  identities: {
    key: 'id',
    columns:
      'id, role, public_key, overlay_index, overlay4, overlay6, generation, agent, country, region, latitude, longitude, max_sessions, bandwidth_mbps, is_exit, tags, policy, can, created_at, revoked_at',
    changed:
      'generation, agent, country, region, latitude, longitude, max_sessions, bandwidth_mbps, is_exit, tags, policy, can',
  },
  sessions: {
    key: 'session_id',
    columns: 'session_id, identity_id, generation, ticket_hash, state, started_at, changed_at, closed_at',
    changed: 'identity_id, generation, ticket_hash, state, started_at, changed_at, closed_at',
  },
} as const

async function copy(): Promise<() => Promise<void>> {
  await (await openStore(STORE)).close() // makes the tables
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const write = async (lines: Record<keyof typeof TABLES, Uint8Array[]>) => {
    await client.query('begin')
    for (const name of ['identities', 'sessions'] as const) {
      const { key, columns, changed } = TABLES[name]
      await client.query(`create temp table incoming (like ${name}) on commit drop`)
      await copyIn(client, `copy incoming (${columns}) from stdin`, lines[name])
      const set = changed.split(', ').map(column => `${column} = excluded.${column}`)
      await client.query(
        `insert into ${name} as stored (${columns}) select ${columns} from incoming
         on conflict (${key}) do update set ${set.join(', ')} where stored.generation <= excluded.generation`,
      )
      await client.query('drop table incoming')
    }
    await client.query('commit')
  }
  await write(linesOf(1))
  const newer = linesOf(2)
  return () => write(newer)
}

function linesOf(generation: number): Record<keyof typeof TABLES, Uint8Array[]> {
  const { identities, sessions } = population(generation)
  return {
    identities: chunksOf(
      identities.map(({ profile: p, ...one }, n) => [
        one.id,
        one.role,
        bytea(one.publicKey),
        n + 1,
        one.overlay4,
        one.overlay6,
        one.generation,
        p.agent,
        p.country,
        p.region,
        p.latitude,
        p.longitude,
        p.maxSessions,
        p.bandwidthMbps,
        p.exit,
        `{${p.tags.join(',')}}`,
        p.policy,
        `{${p.can.join(',')}}`,
        new Date(one.createdAtMs).toISOString(),
        null,
      ]),
    ),
    sessions: chunksOf(
      sessions.map(one => [
        one.sessionId,
        one.identityId,
        one.generation,
        one.ticketHash && bytea(one.ticketHash),
        one.state,
        new Date(one.startedAtMs).toISOString(),
        new Date(one.changedAtMs).toISOString(),
        null,
      ]),
    ),
  }
}

type Cell = string | number | boolean | null

const bytea = (bytes: Uint8Array) => `\\\\x${Buffer.from(bytes).toString('hex')}`

function chunksOf(rows: readonly (readonly Cell[])[]): Uint8Array[] {
  const text = Buffer.from(rows.map(row => `${row.map(cell => cell ?? '\\N').join('\t')}\n`).join(''))
  return Array.from({ length: Math.ceil(text.length / CHUNK_BYTES) }, (_, i) =>
    text.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  )
}

async function late(during: () => Promise<unknown>): Promise<Late> {
  const monitor = monitorEventLoopDelay({ resolution: LOOK_MS })
  monitor.enable()
  await during()
  await setTimeout(2 * LOOK_MS) // the last delay is seen by the look that comes after it
  monitor.disable()
  const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - LOOK_MS)
  return { p50Ms: ms(monitor.percentile(50)), p99Ms: ms(monitor.percentile(99)), maxMs: ms(monitor.max) }
}

const write = mode === 'ours' ? await ours() : await copy()

attend(0, {
  idle: () => late(() => setTimeout(IDLE_MS)),
  async write(): Promise<Written> {
    const before = process.cpuUsage()
    const startedMs = performance.now()
    let tookMs = 0
    const seen = await late(async () => {
      await write()
      tookMs = performance.now() - startedMs
    })
    const { user, system } = process.cpuUsage(before)
    return { tookMs, cpuMicros: user + system, late: seen }
  },
})
