/** The database monitor: what a round of its collectors over fifty servers costs the coordinator. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { ask, makeSchema, programsDirectory, startCluster } from '../../test/support/postgres-cluster.js'
import { type Bench, type Result, type Settings, UnableError } from '../bench.js'
import { withServer } from '../contest.js'
import { median } from '../rounds.js'
import type { Round } from '../servers/pgmon.js'

const SERVERS = { full: 50, quick: 5 }
/** Rounds of ten minutes that are measured: in six of them sizes are collected twice. */
const ROUNDS = 6
/** Rounds before, until everything is connected and compiled. */
const WARM = { full: 12, quick: 3 }
const DATABASE = ['fsync=off', 'autovacuum=off', 'max_connections=300']

async function measure(settings: Settings): Promise<Result> {
  const programs = programsDirectory()
  if (programs === undefined)
    throw new UnableError('PostgreSQL is not installed (apt-get install postgresql)')
  const cluster = await startCluster(programs, DATABASE)
  const folder = mkdtempSync(join(tmpdir(), 'boson-bench-'))
  try {
    return await beside(cluster.url, join(folder, 'said.json'), settings)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await cluster.remove()
  }
}

async function beside(url: string, file: string, { rounds, quick, say }: Settings): Promise<Result> {
  const servers = quick ? SERVERS.quick : SERVERS.full
  for (let i = 0; i < servers; i++) await ask(url, `create database bench_${i}`)
  const ours: Round[] = []
  const limit: Round[] = []
  for (let i = 0; i < rounds; i++) {
    say(`round ${i + 1} of ${rounds}`)
    const database = await makeSchema(url, `bench_${randomBytes(6).toString('hex')}`)
    const warm = quick ? WARM.quick : WARM.full
    ours.push(await collected(['pgmon', 'ours', database, new URL(url).port, String(servers), file], warm))
    limit.push(await repeated(['pgmon', 'bare', database, file]))
  }
  const each = (runs: readonly Round[], figure: keyof Round) =>
    median(runs.map(one => one[figure])) / ROUNDS / servers
  const [value, least] = [each(ours, 'cpuMicros') / 1e3, each(limit, 'cpuMicros') / 1e3]
  return {
    value,
    unit: 'CPU ms/server and round',
    limit: { name: 'the same statements by pg alone', value: least },
    ratio: least / value,
    saturated: 'server',
    rounds,
    detail: {
      servers,
      statements: each(ours, 'statements'),
      roundMs: median(ours.map(({ tookMs }) => tookMs)) / ROUNDS,
      limitRoundMs: median(limit.map(({ tookMs }) => tookMs)) / ROUNDS,
      kept: median(ours.map(({ kept }) => kept)) / ROUNDS,
    },
  }
}

/** Resolves with what the rounds took together. */
async function collected(contestant: [string, ...string[]], warm: number): Promise<Round> {
  return withServer(contestant, async server => {
    for (let i = 0; i < warm; i++) await server.ask<Round>('round')
    await server.ask('forget')
    const all: Round[] = []
    for (let i = 0; i < ROUNDS; i++) all.push(await server.ask<Round>('round'))
    await server.ask('tell')
    const sum = (figure: keyof Round) => all.reduce((total, one) => total + one[figure], 0)
    return {
      tookMs: sum('tookMs'),
      cpuMicros: sum('cpuMicros'),
      statements: sum('statements'),
      kept: sum('kept'),
    }
  })
}

/** Resolves with what the statements of all these rounds take by themselves, when they are said for the third time. */
async function repeated(contestant: [string, ...string[]]): Promise<Round> {
  return withServer(contestant, async server => {
    await server.ask('round')
    await server.ask('round')
    return server.ask<Round>('round')
  })
}

export const pgmon: Bench = {
  name: 'pgmon',
  about: 'the monitor of databases',
  cases: [{ name: 'round', about: 'collectors visit 50 servers, all of them one local cluster', measure }],
}
