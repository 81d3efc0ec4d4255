/** Writing everything down: a mesh whose every node has changed since the last snapshot, to a real PostgreSQL. */
import { randomBytes } from 'node:crypto'
import { ask, makeSchema, programsDirectory, startCluster } from '../../test/support/postgres-cluster.js'
import { type Bench, type Result, type Settings, UnableError } from '../bench.js'
import { withServer } from '../contest.js'
import { interleave, median } from '../rounds.js'
import type { Late, Written } from '../servers/snapshot.js'

const NODES = { full: 100_000, quick: 5_000 }
/** An identity and a session. */
const ROWS_PER_NODE = 2
/** What the loop may stand still at a time, ms. */
const BLOCKED_MS = 15
/** Nothing is tidied up or flushed while it is measured; what commits is on the disk, as in production. */
const DATABASE = ['autovacuum=off', 'checkpoint_timeout=1h', 'max_wal_size=16GB', 'shared_buffers=1GB']

interface Run extends Written {
  readonly idle: Late
}

async function measure(settings: Settings): Promise<Result> {
  const programs = programsDirectory()
  if (programs === undefined)
    throw new UnableError('PostgreSQL is not installed (apt-get install postgresql)')
  const cluster = await startCluster(programs, DATABASE)
  try {
    return await beside(cluster.url, settings)
  } finally {
    await cluster.remove()
  }
}

async function beside(url: string, settings: Settings): Promise<Result> {
  const nodes = settings.quick ? NODES.quick : NODES.full
  const rows = nodes * ROWS_PER_NODE
  const run = (how: 'ours' | 'copy') => async (): Promise<Run> => {
    const schema = `bench_${randomBytes(6).toString('hex')}`
    const database = await makeSchema(url, schema)
    const result = await withServer(['snapshot', how, database, String(nodes)], async server => {
      await ask(database, 'vacuum analyze identities, sessions')
      await ask(url, 'checkpoint')
      await server.ask('collect')
      const idle = await server.ask<Late>('idle')
      return { ...(await server.ask<Written>('write')), idle }
    })
    await ask(url, `drop schema ${schema} cascade`)
    return result
  }
  const { ours, limit } = await interleave(
    settings.rounds,
    { ours: run('ours'), limit: run('copy') },
    settings.say,
  )
  const middle = (runs: readonly Run[], of: (run: Run) => number) => median(runs.map(of))
  const value = rows / (middle(ours, one => one.tookMs) / 1e3)
  const least = rows / (middle(limit, one => one.tookMs) / 1e3)
  const blockedMs = middle(ours, one => one.late.maxMs)
  return {
    value,
    unit: 'rows/s',
    limit: { name: 'COPY and one upsert', value: least },
    ratio: value / least,
    saturated: 'server',
    rounds: settings.rounds,
    target: 0.6,
    met: blockedMs <= BLOCKED_MS,
    detail: {
      rows,
      tookMs: middle(ours, one => one.tookMs),
      cpuMicrosPerRow: middle(ours, one => one.cpuMicros) / rows,
      limitCpuMicrosPerRow: middle(limit, one => one.cpuMicros) / rows,
      blockedMs,
      lateP99Ms: middle(ours, one => one.late.p99Ms),
      lateP50Ms: middle(ours, one => one.late.p50Ms),
      idleMaxMs: middle(ours, one => one.idle.maxMs),
      idleP99Ms: middle(ours, one => one.idle.p99Ms),
      idleP50Ms: middle(ours, one => one.idle.p50Ms),
    },
  }
}

export const snapshot: Bench = {
  name: 'snapshot',
  about: 'What changed, written to PostgreSQL; beside COPY and one upsert of the same rows.',
  cases: [
    {
      name: '100k',
      about: 'identity and session of 100,000 nodes, and how late the event loop is meanwhile',
      measure,
    },
  ],
}
