/** V-10: a backup of a mesh with all its rooms, and the way back: on the embedded database and on PostgreSQL. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type About,
  backUpPglite,
  backUpPostgres,
  finishRestore,
  openBackup,
  restorePglite,
  restorePostgres,
  undoPglite,
  undoPostgres,
} from '../../src/store/backup/index.js'
import { monthOf } from '../../src/pgmon/history/months.js'
import { withPostgres } from '../../src/store/backup/postgres-client.js'
import { type Ask, onePooled } from '../../src/store/backup/tables.js'
import { pglitePool } from '../../src/store/pglite-pool.js'
import { startPostgres } from '../parts/postgres.js'
import { batch, enrolled } from '../reports/session.js'
import { until } from '../support/until.js'
import { shortFolder } from '../support/short-folder.js'
import { type RestServer, restServer } from '../support/rest-server.js'

const ABOUT: About = { version: '0.1.0', serverId: 'eu-1', vaultKeyId: null, nowMs: Date.UTC(2026, 0, 1) }
const NOT_EMPTY = [
  'identities',
  'sessions',
  'accounts',
  'mails',
  'report_logs',
  'report_streams',
  'audit_events',
  'enrolment_keys',
]

/** A database, its backup, and what can be done to both. */
interface Place {
  readonly dir: string
  ask: <T>(work: (ask: Ask) => Promise<T>) => Promise<T>
  backUp: (path: string) => Promise<number>
  restore: (path: string) => Promise<void>
  undo: () => Promise<void>
}

t.test('PGlite', async t => {
  const dir = t.testdir()
  await (await lively(t, { dataDir: dir })).stop()
  await roundTrip(t, pglitePlace(dir))
  await t.test('P-12: samples of databases go on where they were', async t => {
    const server = await restServer(t, { dataDir: dir })
    await goesOn(t, server)
    await server.stop()
  })
  await damaged(t, pglitePlace(dir))

  await t.test('a restore that is cut off at any step is ended by the next start', async t => {
    /** Folders with something in them that says what they are of. */
    const folder = (is: Readonly<Record<string, string>>) => {
      const data = shortFolder()
      t.teardown(() => rmSync(data, { recursive: true }))
      for (const [name, mark] of Object.entries(is)) {
        mkdirSync(dirname(join(data, name)), { recursive: true })
        if (name.endsWith('ready')) writeFileSync(join(data, name), mark)
        else {
          mkdirSync(join(data, name))
          writeFileSync(join(data, name, mark), '')
        }
      }
      return data
    }
    const look = (data: string) =>
      ['pglite', 'journal', 'before-restore/pglite', 'before-restore/journal'].map(
        name => existsSync(join(data, name)) && readdirSync(join(data, name))[0],
      )
    const OLD = { pglite: 'old', journal: 'old' }
    const ready = { 'restore/ready': '' }
    const staged = { 'restore/pglite': 'new', 'restore/journal': 'new' }
    const older = { 'before-restore/pglite': 'older', 'before-restore/journal': 'older' }
    const steps: [name: string, is: Readonly<Record<string, string>>][] = [
      ['when it is ready', { ...OLD, ...staged, ...ready }],
      ['when it is ready, after an earlier one', { ...OLD, ...staged, ...ready, ...older }],
      ['database aside', { journal: 'old', ...staged, ...ready, 'before-restore/pglite': 'old' }],
      [
        'database in its place',
        { pglite: 'new', journal: 'old', 'restore/journal': 'new', ...ready, 'before-restore/pglite': 'old' },
      ],
      [
        'journal aside',
        {
          pglite: 'new',
          'restore/journal': 'new',
          ...ready,
          'before-restore/pglite': 'old',
          'before-restore/journal': 'old',
        },
      ],
      [
        'all but the mark',
        {
          pglite: 'new',
          journal: 'new',
          ...ready,
          'before-restore/pglite': 'old',
          'before-restore/journal': 'old',
        },
      ],
    ]
    for (const [name, is] of steps) {
      const data = folder(is)
      finishRestore(data)
      t.same(look(data), ['new', 'new', 'old', 'old'], name)
      undoPglite(data)
      t.same(look(data), ['old', 'old', 'new', 'new'], `${name}, and undone`)
      t.notOk(existsSync(join(data, 'restore')), name)
    }
    const early = folder({ ...OLD, 'restore/pglite': 'half' })
    finishRestore(early)
    t.same(look(early), ['old', 'old', false, false], 'before it was ready')
    t.throws(() => undoPglite(early), { code: 'RESTORE_FAILED' })
  })

  await t.test('what is in a backup goes nowhere else than into the data directory', async t => {
    const file = join(dir, 'evil.backup')
    const folder = join(dir, 'evil')
    execFileSync('sh', [
      '-c',
      `mkdir ${folder} && cd ${folder} && echo x > x && tar cf in.tar --transform 's|x|../../escaped|' x && gzip -c in.tar > database.tar.gz`,
    ])
    const manifest = { ...(await openBackup(join(dir, 'a.backup'))).manifest }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
    execFileSync('sh', [
      '-c',
      `cd ${folder} && sha256sum database.tar.gz manifest.json > SHA256SUMS && tar cf ${file} --format=ustar database.tar.gz manifest.json SHA256SUMS`,
    ])
    await t.rejects(restorePglite(dir, await openBackup(file)), {
      code: 'RESTORE_FAILED',
      message: /outside of the data directory/,
    })
    t.notOk(existsSync(join(dir, 'escaped')))
  })
})

t.test('PostgreSQL', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    await t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
    return
  }
  const dir = t.testdir()
  const url = await postgres.schema()
  await (await lively(t, { databaseUrl: url })).stop()
  await roundTrip(t, postgresPlace(dir, url))
  await damaged(t, postgresPlace(dir, url))

  await t.test(
    'it is restored into an empty schema of another name, beside the one that it is of',
    async t => {
      const file = join(dir, 'elsewhere.backup')
      await postgresPlace(dir, url).backUp(file)
      const before = await postgresPlace(dir, url).ask(contents)
      const other = postgresPlace(dir, await postgres.schema())
      await other.restore(file)
      t.equal(await other.ask(contents), before)
      t.equal(await postgresPlace(dir, url).ask(contents), before, 'which stays as it is')
      await t.rejects(other.undo(), { code: 'RESTORE_FAILED' }, 'nothing was there before')
    },
  )

  await t.test('tables of somebody else are not put aside', async t => {
    const file = join(dir, 'elsewhere.backup')
    const foreign = await postgres.schema()
    await postgres.ask(foreign, 'create table invoices (id int)')
    await t.rejects(postgresPlace(dir, foreign).restore(file), {
      code: 'RESTORE_FAILED',
      message: /not of a BosonServer \(invoices\)/,
    })
    await t.rejects(backUpPostgres(foreign, join(dir, 'none.backup'), ABOUT), { code: 'BACKUP_FAILED' })
    t.notOk(readdirSync(dir).some(name => name.startsWith('none')))
  })

  await t.test(
    'nothing is restored under a coordinator that runs, and a backup is made beside it',
    async t => {
      const file = join(dir, 'beside.backup')
      const server = await restServer(t, { databaseUrl: url })
      await postgresPlace(dir, url).backUp(file)
      await t.rejects(postgresPlace(dir, url).restore(file), { code: 'DATABASE_IN_USE' })
      await goesOn(t, server)
      await server.stop()
    },
  )

  await t.test('a password is told to no list of processes', async t => {
    const { placeOf } = await import('../../src/store/backup/pg-programs.js')
    t.match(placeOf('postgres://boson:p%40ss@db:5433/mesh?sslmode=no-verify&max=3&options=-c%20a%3Db'), {
      url: 'postgres://boson@db:5433/mesh?sslmode=require&options=-c%20a%3Db',
      env: { PGPASSWORD: 'p@ss' },
    })
  })

  await t.test('a program that is missing is named, with the package that has it', async t => {
    const path = process.env['PATH']
    t.teardown(() => (process.env['PATH'] = path))
    process.env['PATH'] = join(dir, 'nothing')
    await t.rejects(backUpPostgres(url, join(dir, 'x.backup'), ABOUT), {
      code: 'PG_PROGRAM_MISSING',
      message: /pg_dump was not found on this machine: install .*postgresql-client-\d+/,
    })
  })
})

async function roundTrip(t: Test, place: Place): Promise<void> {
  await t.test(
    'V-10: what is restored is what was backed up, and what was there before comes back',
    async t => {
      const before = await place.ask(contents)
      for (const table of [...NOT_EMPTY, `pgmon_server_samples_${monthOf(Date.now()).name}`])
        t.ok(before.includes(`\n${table} {`), `${table} has rows`)
      const file = join(place.dir, 'a.backup')
      const bytes = await place.backUp(file)
      t.equal(statSync(file).size, bytes)
      t.equal(statSync(file).mode & 0o777, 0o600)
      t.notOk(readdirSync(place.dir).some(name => name.endsWith('.part')))

      const changed = await place.ask(async ask => {
        await ask('delete from accounts')
        await ask('create table later (id int)')
        return await contents(ask)
      })
      await place.restore(file)
      t.ok((await place.ask(contents)) === before, 'as it was')
      await place.undo()
      t.ok((await place.ask(contents)) === changed, 'undone')
      await place.undo()
      t.ok((await place.ask(contents)) === before, 'undone twice')
    },
  )

  await t.test('a backup can be looked into and checked by programs that are everywhere', async t => {
    const file = join(place.dir, 'a.backup')
    const folder = t.testdir()
    execFileSync('tar', ['xf', file, '-C', folder])
    execFileSync('sh', ['-c', 'sha256sum -c --quiet SHA256SUMS'], { cwd: folder })
    t.match(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')), {
      what: 'backup of a BosonServer',
      format: 1,
      takenAt: '2026-01-01T00:00:00.000Z',
      serverId: 'eu-1',
      tables: { migrations: { mesh: Array, access: Array, rest: Array }, rows: { identities: 1 } },
    })
  })
}

async function damaged(t: Test, place: Place): Promise<void> {
  await t.test(
    'a file that is damaged, cut off, or no backup is refused before anything is touched',
    async t => {
      const whole = readFileSync(join(place.dir, 'a.backup'))
      const before = await place.ask(contents)
      const cases: [string, Buffer, RegExp][] = [
        ['empty', Buffer.alloc(0), /not all of one|no backup/],
        ['cut off', whole.subarray(0, whole.length >> 1), /not all of one/],
        ['cut off in its last part', whole.subarray(0, whole.length - 2_000), /not all of one|SHA256SUMS/],
        ['a flipped bit', flipped(whole, whole.length >> 1), /damaged/],
        [
          'a flipped bit in the manifest',
          flipped(whole, whole.indexOf('"takenAt"') + 14),
          /damaged|no backup/,
        ],
        ['another file', Buffer.from('select 1;'.repeat(100)), /no backup/],
        [
          'a later format',
          Buffer.from(whole.toString('latin1').replace('"format": 1', '"format": 9'), 'latin1'),
          /has the format 9/,
        ],
      ]
      for (const [name, bytes, message] of cases) {
        const file = join(place.dir, 'bad.backup')
        writeFileSync(file, bytes)
        await t.rejects(place.restore(file), { code: 'BAD_BACKUP', message }, name)
      }
      await t.rejects(place.restore(join(place.dir, 'nowhere')), { code: 'BAD_BACKUP', message: /ENOENT/ })
      t.equal(await place.ask(contents), before)
    },
  )

  await t.test('a backup of the other kind of database is refused', async t => {
    const backup = await openBackup(join(place.dir, 'a.backup'))
    const of =
      backup.manifest.kind === 'pglite'
        ? restorePostgres('postgres://nobody@127.0.0.1:1/x', backup)
        : restorePglite(t.testdir(), backup)
    await t.rejects(of, { code: 'BAD_BACKUP', message: /DATABASE_URL/ })
  })
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** Every row of every table, a line each. */
async function contents(ask: Ask): Promise<string> {
  const tables = await ask(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = to_regnamespace(current_schema()) order by relname collate "C"`,
  )
  const lines: string[] = []
  for (const { name } of tables)
    for (const { row } of await ask(
      `select to_jsonb(t)::text as row from "${String(name)}" t order by to_jsonb(t)::text collate "C"`,
    ))
      lines.push(`${String(name)} ${String(row)}`)
  return lines.join('\n')
}

function pglitePlace(dir: string): Place {
  const database = join(dir, 'pglite')
  return {
    dir,
    async ask(work) {
      const pool = await pglitePool({ dir: database, queryTimeoutMs: 10_000 })
      try {
        return await onePooled(pool, work)
      } finally {
        await pool.end()
      }
    },
    backUp: path => backUpPglite({ dir: database, journalDir: join(dir, 'journal') }, path, ABOUT),
    restore: async path => restorePglite(dir, await openBackup(path)),
    undo: async () => undoPglite(dir),
  }
}

const postgresPlace = (dir: string, url: string): Place => ({
  dir,
  ask: work => withPostgres(url, ({ ask }) => work(ask)),
  backUp: path => backUpPostgres(url, path, ABOUT),
  restore: async path => restorePostgres(url, await openBackup(path)),
  undo: () => undoPostgres(url),
})

/** A mesh in which something has happened in every room. */
async function lively(t: Test, wishes: { dataDir?: string; databaseUrl?: string }): Promise<RestServer> {
  const server = await restServer(t, { ...wishes, env: { BOSON_SIGN_UP: 'confirmed' } })
  const reporter = await enrolled(server, 'fra-1')
  const answer = await reporter.report(batch(1, { logs: [[Date.now(), 'info', 'grüße', null, null]] }))
  t.equal(answer.outcome, 'stored')
  await server.ask('POST', '/auth/register', {
    token: null,
    body: { email: 'ada@example.org', password: 'correct horse battery' },
  })
  t.equal((await server.ask('POST', '/pgmon/servers/coordinator/collect')).status, 200)
  return server
}

/** The monitor adds to the samples that were restored. */
async function goesOn(t: Test, server: RestServer): Promise<void> {
  const restored = await samplesOf(server)
  t.ok(restored.length > 0)
  await until('it is visited once more', async () => {
    await server.ask('POST', '/pgmon/servers/coordinator/collect')
    return (await samplesOf(server)).length > restored.length
  })
  t.match(await samplesOf(server), restored)
}

const samplesOf = async (server: RestServer): Promise<readonly string[]> =>
  (await server.ask('GET', '/pgmon/server/coordinator/stats?figures=connections')).body.at
