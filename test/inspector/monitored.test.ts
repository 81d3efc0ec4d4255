/** Monitored databases in a real browser, before a real PostgreSQL: what an operator finds at three in the morning. */
import { existsSync } from 'node:fs'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../parts/postgres.js'
import { browse, CHROMIUM } from '../support/browser.js'
import { restServer } from '../support/rest-server.js'
import { MARKUP } from './corpus.js'
import { illegible, overflow } from './legible.js'

const skip = !existsSync(CHROMIUM) && 'chromium is not installed'
const PASSWORD = 'correct horse battery staple 9'
const [DATABASE, TABLE, APPLICATION] = MARKUP

t.test(
  'an operator adds a server, finds who holds up the others and ends that session; nothing that it tells is markup',
  { skip },
  async t => {
    const postgres = await startPostgres(t)
    if ('missing' in postgres) return t.comment(postgres.missing)
    const held = await holdUp(t, postgres.url)
    const server = await restServer(t, { env: { BOSON_PGMON_NETWORKS: '127.0.0.1' } })
    await server.ask('POST', '/api/v1/users', { body: { name: 'op', role: 'operator', password: PASSWORD } })

    const { page, complaints } = await browse(t)
    const at = (hash: string) => page.goto(`http://127.0.0.1:${server.port}/inspector#${hash}`)
    const inDialog = page.getByRole('dialog')
    await at('/databases')
    await page.getByLabel('Account').fill('op')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('row', { name: /^coordinator up/ }).waitFor()
    t.pass('the coordinator’s own database is there by itself, and up')

    await page.getByRole('button', { name: 'Add a server' }).click()
    await inDialog.getByLabel('Name', { exact: true }).fill('orders')
    await inDialog.getByLabel('Host', { exact: true }).fill('127.0.0.1')
    await inDialog.getByLabel('Port', { exact: true }).fill(new URL(postgres.url).port)
    await inDialog.getByLabel('Role that asks').fill('boson')
    await inDialog.getByLabel('Encryption').selectOption('disable')
    await inDialog.getByRole('button', { name: 'Add a server' }).click()
    await inDialog.getByText('"boson" is a superuser').waitFor()
    await inDialog.getByRole('button', { name: 'Close' }).click()
    t.pass('it is tried out at once, and what could be better is said')

    await at('/databases/orders/locks')
    const root = page.locator('.locks > .lock').first()
    await root.getByText('holds up 1 session').waitFor()
    t.equal(await root.locator('.lock-box').first().locator('strong').textContent(), String(held.pid))
    t.match(
      await root.locator('ul .lock-box').textContent(),
      /waits .*for ShareLock on public\..*, a row that another transaction holds/,
    )
    t.ok((await root.textContent())?.includes(APPLICATION), 'who it is')
    await root.getByRole('button', { name: 'Terminate' }).first().click()
    await inDialog.getByText('Its connection is closed').waitFor()
    await inDialog.getByRole('button', { name: 'Terminate' }).click()
    await page.getByText(`Session ${held.pid} has ended.`).waitFor()
    await page.getByText('Nobody waits for anybody').waitFor()
    await held.freed
    t.match((await server.ask('GET', '/api/v1/audit?kind=monitored_session.terminated')).body.audit, [
      { actor: 'op', subject: 'orders', detail: { pid: held.pid } },
    ])

    const name = encodeURIComponent(DATABASE)
    for (const [hash, text] of [
      ['/databases/orders/databases', DATABASE],
      [`/databases/orders/databases/${name}`, TABLE],
      ['/databases/orders/activity', APPLICATION],
      ['/databases', 'orders'],
      ['/databases/orders', 'PostgreSQL'],
      ['/monitor', 'orders'],
      ['/ssh-keys', 'There is no key yet'],
    ] as const) {
      await at(hash)
      await page.getByText(text).first().waitFor()
      for (const [width, colorScheme] of [
        [380, 'dark'],
        [1280, 'light'],
      ] as const) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 900 })
        t.strictSame(await illegible(page), [], `${hash}, ${width} px: enough contrast`)
        t.ok((await overflow(page)) <= 0, `${hash}, ${width} px: nothing is wider than the window`)
      }
    }
    t.strictSame(complaints, [], 'no script ran, and the console is silent')
  },
)

/** A session that holds a row, and one that waits for it until the first has ended; their names are markup. */
async function holdUp(t: Test, url: string) {
  const quoted = (text: string) => pg.escapeIdentifier(text)
  const { hostname: host, port } = new URL(url)
  const connect = async (database: string) => {
    const user = 'boson'
    const client = new pg.Client({ host, port: Number(port), user, database, application_name: APPLICATION })
    client.on('error', () => undefined) // it is terminated
    t.teardown(() => client.end().catch(() => undefined))
    await client.connect()
    return client
  }
  const first = await connect('postgres')
  await first.query(`create database ${quoted(DATABASE)}`)
  const holder = await connect(DATABASE)
  await holder.query(
    `create table ${quoted(TABLE)} (id int primary key); insert into ${quoted(TABLE)} values (1)`,
  )
  await holder.query('begin')
  await holder.query(`select * from ${quoted(TABLE)} for update`)
  const waiter = await connect(DATABASE)
  const freed = waiter.query(`delete from ${quoted(TABLE)} /* ${MARKUP[4].replaceAll('*/', '')} */`)
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
  return { pid: rows[0]?.pid ?? 0, freed }
}
