/** Many at once, in any order, and with the database going away in between: what was paid is granted once, and never lost. */
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { access } from '../../src/access/plugin.js'
import { startPostgres } from '../parts/postgres.js'
import { type Insider, insider } from '../support/insider.js'
import { delivered } from '../support/payment-provider.js'
import { onEachDatabase, type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const SECRET = 'a-webhook-secret-that-only-this-test-knows'
const ENV = { PAYMENT_WEBHOOK_SECRET: SECRET, BOSON_HTTP_PER_MINUTE: '1000000' }

const run = promisify(execFile)
const noShell =
  spawnSync('bash', ['-c', 'command -v curl && command -v openssl']).status === 0
    ? false
    : 'curl or openssl is missing'

t.test('payments, by many at once', t =>
  onEachDatabase(t, async (t, start) => {
    const inside = insider()
    const server = await start({ env: ENV, plugins: [access, inside.plugin] })
    const month = await soldMonth(server)

    await t.test(
      'the provider of docs/payments.md, in five lines of shell, is one',
      { skip: noShell },
      async t => {
        const { userId } = await inside.account('doc')
        t.equal(await asked(server, userId, month), 1, 'the payment that it names')
        const [, example = ''] = /```sh\n(body=[^]*?)```/.exec(readFileSync('docs/payments.md', 'utf8')) ?? []
        const env = { ...process.env, PAYMENT_WEBHOOK_SECRET: SECRET, BOSON_URL: server.url }
        for (let i = 0; i < 2; i++) {
          const { stdout } = await run('bash', ['-ec', example], { env })
          t.same(JSON.parse(stdout), { received: true, outcome: 'completed' })
        }
      },
    )

    await t.test(
      'V-06, V-12: very many deliveries of one event make one entitlement and one peer',
      async t => {
        const ada = await inside.account('ada')
        const id = await asked(server, ada.userId, month)
        const event = completed(id, 'evt_a', 'ch_a')
        // Over both databases it is the same code; a thousand connections take their time.
        const length = inside.room().kind === 'postgres' ? 1_000 : 200
        const answers = await Promise.all(Array.from({ length }, () => tell(server, event)))
        t.same(tally(answers.map(({ status, body }) => `${status} ${body.outcome}`)), {
          '200 completed': length,
        })
        t.same(await grantedTo(inside, ada.accountId), { subscriptions: 1, days: 30, peers: 1 })
        t.equal((await server.ask('GET', `/payments/events?payment_id=${id}`)).body.events.length, 1)
      },
    )

    await t.test('V-12: events of many names over one charge make one entitlement too', async t => {
      const bob = await inside.account('bob')
      const id = await asked(server, bob.userId, month)
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) => tell(server, completed(id, `evt_b${i}`, 'ch_b'))),
      )
      t.same(tally(answers.map(({ body }) => body.outcome)), { completed: 1, unchanged: 29 })
      t.same(await grantedTo(inside, bob.accountId), { subscriptions: 1, days: 30, peers: 1 })
    })

    await t.test('payments of one account at once add up, and share a peer', async t => {
      const eve = await inside.account('eve')
      const ids = await Promise.all(Array.from({ length: 8 }, () => asked(server, eve.userId, month)))
      await Promise.all(ids.map(id => tell(server, completed(id, `evt_e${id}`, `ch_e${id}`))))
      t.same(await grantedTo(inside, eve.accountId), { subscriptions: 1, days: 240, peers: 1 })
    })

    await t.test('one charge that is told to be of two payments at once is of one of them', async t => {
      const dan = await inside.account('dan')
      const ids = [await asked(server, dan.userId, month), await asked(server, dan.userId, month)]
      const answers = await Promise.all(ids.map(id => tell(server, completed(id, `evt_d${id}`, 'ch_d'))))
      t.same(tally(answers.map(({ body }) => body.outcome)), { completed: 1, mismatch: 1 })
      t.same(await grantedTo(inside, dan.accountId), { subscriptions: 1, days: 30, peers: 1 })
    })

    await t.test('V-06: any order and repetition of events ends as if they had come in order', async t => {
      let run = 0
      const one = fc.constantFrom('completed', 'failed', 'refunded', 'completed cheaply', 'other')
      await fc.assert(
        fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 6 }), async told => {
          const name = `model-${run++}`
          const { userId, accountId } = await inside.account(name)
          const id = await asked(server, userId, month)
          for (const what of told) await tell(server, eventOf(what, id, name))
          const wanted =
            (['refunded', 'completed', 'failed'] as const).find(what => told.includes(what)) ?? 'pending'
          const { body } = await server.ask('GET', `/payments/status/${id}`)
          const { days } = await grantedTo(inside, accountId)
          if (body.status !== wanted || days > 0 !== (wanted === 'completed'))
            throw new Error(`${told.join()}: ${body.status} with ${days} days, wanted ${wanted}`)
        }),
        { numRuns: 12 },
      )
      t.pass(`${run} stories`)
    })
  }),
)

t.test('payments on a PostgreSQL of their own', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    await t.test(postgres.missing, { skip: true }, async () => {})
    return
  }
  const databaseUrl = await postgres.schema()
  const sides = await Promise.all([1, 2].map(() => side(t, databaseUrl)))
  const [one, other] = sides as [Side, Side] // two were made
  const month = await soldMonth(one.server)

  await t.test('two coordinators that are told the same at once grant it once', async t => {
    const ada = await one.inside.account('ada')
    const id = await asked(one.server, ada.userId, month)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        tell(i % 2 === 0 ? one.server : other.server, completed(id, 'evt_1', 'ch_1')),
      ),
    )
    t.same(tally(answers.map(({ status, body }) => `${status} ${body.outcome}`)), { '200 completed': 40 })
    t.same(await grantedTo(one.inside, ada.accountId), { subscriptions: 1, days: 30, peers: 1 })
  })

  await t.test('a crash at any step loses nothing and doubles nothing', async t => {
    const eve = await one.inside.account('eve@example.org')
    const id = await asked(one.server, eve.userId, month)
    // The connection dies where the step writes, as it does when the machine is switched off there.
    for (const table of ['payment_events', 'subscriptions', 'peers', 'mails', 'payments']) {
      await postgres.ask(databaseUrl, crashAt(table))
      const answer = await tell(one.server, completed(id, 'evt_2', 'ch_2'))
      t.match(answer, { status: 503, body: { code: 'unavailable' } }, table)
      t.ok(Number(answer.headers.get('retry-after')) > 0)
      await postgres.ask(databaseUrl, `drop trigger crash on ${table}`)
      t.same(await grantedTo(one.inside, eve.accountId), { subscriptions: 0, days: 0, peers: 0 }, table)
    }
    t.match(await tell(one.server, completed(id, 'evt_2', 'ch_2')), {
      status: 200,
      body: { outcome: 'completed' },
    })
    t.match(await tell(one.server, completed(id, 'evt_2', 'ch_2')), {
      status: 200,
      body: { outcome: 'completed' },
    })
    t.same(await grantedTo(one.inside, eve.accountId), { subscriptions: 1, days: 30, peers: 1 })
    const mails = (await one.server.ask('GET', '/api/v1/mails')).body.mails
    t.equal(mails.filter(({ to }: { to: string }) => to === 'eve@example.org').length, 1)
  })

  await t.test('while the database is away, providers are told to come again', async t => {
    const bob = await one.inside.account('bob')
    const id = await asked(one.server, bob.userId, month)
    await postgres.stop()
    t.match(await tell(one.server, completed(id, 'evt_3', 'ch_3')), { status: 503 })
    t.match(
      await one.server.ask('POST', '/payments/webhook', { token: null, body: {} }),
      { status: 400 },
      'what nobody signed needs no database to be refused',
    )
    await postgres.start()
    const answer = await until('the database is back', async () => {
      const taken = await tell(one.server, completed(id, 'evt_3', 'ch_3'))
      return taken.status === 200 && taken
    })
    t.equal(answer.body.outcome, 'completed')
    t.same(await grantedTo(one.inside, bob.accountId), { subscriptions: 1, days: 30, peers: 1 })
  })
})

interface Side {
  readonly server: RestServer
  readonly inside: Insider
}

async function side(t: Test, databaseUrl: string): Promise<Side> {
  const inside = insider()
  return { inside, server: await restServer(t, { databaseUrl, env: ENV, plugins: [access, inside.plugin] }) }
}

const tell = (server: RestServer, event: object) =>
  delivered(server, event, { secret: SECRET, atMs: Date.now() })

async function soldMonth(server: RestServer): Promise<number> {
  const body = { name: 'Month', price: '9.90', currency: 'EUR', duration_days: 30 }
  return (await server.ask('POST', '/tariffs/', { body })).body.id as number
}

async function asked(server: RestServer, userId: number, tariffId: number): Promise<number> {
  const body = { user_id: userId, tariff_id: tariffId, provider: 'generic' }
  return (await server.ask('POST', '/payments/create', { body })).body.id as number
}

const completed = (paymentId: number, id: string, charge: string, amount = '9.90') => ({
  id,
  type: 'payment.completed',
  data: { payment_id: paymentId, provider_payment_id: charge, amount, currency: 'EUR' },
})

/** Returns the event that a word stands for; the same word is the same event. */
function eventOf(what: string, paymentId: number, name: string): object {
  const id = `${name}-${what.replace(' ', '-')}`
  if (what === 'other') return { id, type: 'invoice.drafted' }
  if (what === 'completed cheaply') return completed(paymentId, id, name, '0.99')
  return { ...completed(paymentId, id, name), type: `payment.${what}` }
}

const tally = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}

/** Resolves with what an account has: subscriptions, days that are left of them, peers. */
async function grantedTo({ room }: Insider, accountId: string) {
  const subscriptions = await room().ask(db =>
    db.selectFrom('subscriptions').select('ends_at').where('account_id', '=', accountId).execute(),
  )
  const peers = await room().ask(db =>
    db.selectFrom('peers').select('peer_id').where('account_id', '=', accountId).execute(),
  )
  const leftMs = subscriptions.reduce(
    (sum, { ends_at }) => sum + Math.max(0, ends_at.getTime() - Date.now()),
    0,
  )
  return { subscriptions: subscriptions.length, days: Math.round(leftMs / 86_400_000), peers: peers.length }
}

/** Returns what makes the server cut the connection that writes into a table. */
const crashAt = (table: string): string => `
  create or replace function crash() returns trigger language plpgsql as
    'begin perform pg_terminate_backend(pg_backend_pid()); return new; end';
  create trigger crash after insert or update on ${table} for each row execute function crash()`
