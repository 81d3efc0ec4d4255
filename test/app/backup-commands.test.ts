/** V-10: `boson backup`, `restore` and `migrate`, as they are installed, beside a coordinator and without one. */
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { backUpPglite, backUpPostgres } from '../../src/store/backup/index.js'
import { withPostgres } from '../../src/store/backup/postgres-client.js'
import { onePooled } from '../../src/store/backup/tables.js'
import { openStore } from '../../src/store/index.js'
import { pglitePool } from '../../src/store/pglite-pool.js'
import { startPostgres } from '../parts/postgres.js'
import { commandIn, start, startServer } from '../support/boson.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

t.test('the embedded database', async t => {
  const cwd = t.testdir()
  const boson = commandIn(t, { cwd })
  const server = await startServer(t, { cwd })
  const at = ['--port', String(server.port)]

  await t.test(
    'a coordinator that runs is asked for its backup, and is not restored under its feet',
    async t => {
      const made = await boson('backup', '--out', 'running.backup', ...at)
      t.equal(made.code, 0, made.stderr)
      t.equal(made.stdout.trim(), join(cwd, 'running.backup'))
      t.equal(statSync(join(cwd, 'running.backup')).mode & 0o777, 0o600)
      t.same(readdirSync(join(cwd, '.boson/backups')), [], 'it is where it was wanted, and nowhere else')
      t.match(await boson('restore', 'running.backup', '--yes'), { code: 5, stderr: /in use by process/ })
      t.match(await boson('restore', 'running.backup'), { code: 2, stderr: /wanted --yes/ })
    },
  )
  await server.end('SIGTERM')

  await t.test(
    'what waits is told, is not done by a start that may only check, and is done after a backup',
    async t => {
      await older(cwd)
      const checking = await boson('server', '--port', '0', '--turn-mode', 'off', '--migrate', 'check')
      t.match(checking, { code: 1, stderr: /older version.*boson migrate.*webhooks 0001_webhooks/ })
      t.match(await boson('migrate', '--dry-run'), { code: 0, stdout: 'webhooks 0001_webhooks\n' })
      const done = await boson('migrate')
      t.match(done, {
        code: 0,
        stdout: 'webhooks 0001_webhooks\n',
        stderr: /backed up to .*-before-migration\.backup/,
      })
    },
  )

  await t.test('a start makes a backup before it changes tables', async t => {
    await older(cwd)
    const before = readdirSync(join(cwd, '.boson/backups')).length
    const again = await startServer(t, { cwd })
    t.match(again.said(), /backed up before its tables are changed/)
    t.equal(readdirSync(join(cwd, '.boson/backups')).length, before + 1)
    await again.end('SIGTERM')
  })

  await t.test('a migration that fails says how to go back, and that is the way back', async t => {
    await ask(cwd, 'delete from webhooks_migration')
    const failed = await boson('migrate')
    t.equal(failed.code, 1)
    const [, file = ''] = /boson restore (\S+)/.exec(failed.stderr) ?? []
    t.ok(existsSync(file), failed.stderr)
    await ask(cwd, 'drop table webhooks cascade')
    t.match(await boson('restore', file, '--yes'), { code: 0, stderr: /restored/ })
    t.match(await ask(cwd, `select to_regclass('webhooks') is not null as here`), [{ here: true }])
    t.match(await boson('restore', 'running.backup', '--yes'), { code: 0 }, 'of the one that ran')
  })

  await t.test('a backup of a newer version is refused', async t => {
    await ask(cwd, `insert into access_migration values ('9999_later', '2030-01-01')`)
    const about = { version: '9.0.0', serverId: null, vaultKeyId: null, nowMs: 0 }
    await backUpPglite(
      { dir: join(cwd, '.boson/pglite'), journalDir: null },
      join(cwd, 'newer.backup'),
      about,
    )
    t.match(await boson('restore', 'newer.backup', '--yes'), {
      code: 1,
      stderr: /newer version.*access 9999_later/,
    })
  })
})

t.test(
  'PostgreSQL: a process that is killed in the middle of a restore leaves everything as it was',
  async t => {
    const postgres = await startPostgres(t)
    if ('missing' in postgres) {
      await t.test(postgres.missing, { skip: true }, async () => {})
      return
    }
    const url = await postgres.schema()
    const cwd = t.testdir()
    await (await restServer(t, { databaseUrl: url })).stop()
    const file = join(cwd, 'mesh.backup')
    await backUpPostgres(url, file, { version: '0.1.0', serverId: null, vaultKeyId: null, nowMs: 0 })
    await withPostgres(url, ({ ask: sql }) => sql(`insert into server_meta values ('later', '1')`))

    // A pg_restore that has said half of it, and then says nothing more.
    const shim = join(cwd, 'bin')
    const real = (process.env['PATH'] ?? '')
      .split(':')
      .map(each => join(each, 'pg_restore'))
      .find(existsSync)
    t.ok(real)
    mkdirSync(shim)
    writeFileSync(
      join(shim, 'pg_restore'),
      `#!/bin/sh\n[ "$1" = --version ] && exec ${real} --version\n${real} "$@" > ${cwd}/all.sql\nhead -n $(($(wc -l < ${cwd}/all.sql) / 2)) ${cwd}/all.sql\nexec sleep 60\n`,
    )
    chmodSync(join(shim, 'pg_restore'), 0o755)
    const child = start(t, ['restore', file, '--yes'], {
      cwd,
      env: { PATH: `${shim}:${process.env['PATH']}`, DATABASE_URL: url },
    })
    const inside = () =>
      withPostgres(postgres.url, async ({ ask: sql }) => {
        const [row] = await sql(
          `select count(*)::int as count from pg_stat_activity where application_name = 'psql' and xact_start is not null`,
        )
        return Number(row?.['count'])
      })
    await until('it is in the middle', async () => (await inside()) === 1)
    child.kill('SIGKILL')
    await once(child, 'close')
    await until('the transaction is over', async () => (await inside()) === 0)
    await withPostgres(url, async ({ ask: sql }) => {
      t.match(await sql(`select count(*)::int as count from server_meta where key = 'later'`), [{ count: 1 }])
      t.match(
        await sql(`select count(*)::int as count from pg_namespace where nspname like '%before_restore'`),
        [{ count: 0 }],
      )
    })
    // It can be used at once.
    const store = await openStore({ databaseUrl: url, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
    await store.close()
  },
)

/** As if webhooks had come with this version. */
const older = (cwd: string): Promise<unknown> =>
  ask(
    cwd,
    'drop table webhooks, webhook_events, webhook_deliveries, webhook_presence cascade',
    'delete from webhooks_migration',
  )

async function ask(cwd: string, ...statements: readonly string[]): Promise<unknown> {
  const pool = await pglitePool({ dir: join(cwd, '.boson/pglite'), queryTimeoutMs: 10_000 })
  try {
    return await onePooled(pool, async sql => {
      let rows: unknown
      for (const statement of statements) rows = await sql(statement)
      return rows
    })
  } finally {
    await pool.end()
  }
}
