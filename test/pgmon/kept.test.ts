/** P-03, P-11, P-12, P-13 over HTTP: a coordinator keeps what its databases tell, and tells it again. */
import t from 'tap'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase } from '../support/rest-server.js'
import { until } from '../support/until.js'

const HOUR_MS = 3_600_000

t.test('what is kept', async t => {
  await onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const server = await start({ clock, env: { BOSON_PGMON_NETWORKS: '127.0.0.1/32' } })
    const told = async (path: string) => (await server.ask('GET', `/pgmon${path}`)).body
    const collect = () => server.ask('POST', '/pgmon/servers/coordinator/collect')

    await t.test('P-03, P-13: a visit adds a point, of the server and of each of its databases', async t => {
      await collect()
      clock.advance(HOUR_MS / 4)
      const { status, body } = await collect()
      t.equal(status, 200)
      t.strictSame(
        body.visits.map(({ collector }: { collector: string }) => collector),
        ['activity', 'disk', 'sizes', 'upkeep'],
      )
      const history = await told('/server/coordinator/stats?figures=connections,commits_per_s')
      t.match(history, { name: 'coordinator', database: null, width: 'raw' })
      t.strictSame(Object.keys(history.series), ['connections', 'commits_per_s'])
      t.ok(history.series.connections.max.at(-1) >= 1)
      t.equal(history.series.commits_per_s.mean[0], null, 'nothing was known before')
      t.ok(history.series.commits_per_s.mean.at(-1) >= 0, 'a rate is of the time between two visits')
      const [{ name }] = (await told('/server_stats/coordinator')).databases
      t.match(await told(`/server/coordinator/db/${name}/stats`), {
        database: name,
        series: { connections: { mean: [Number, Number] } },
      })
    })

    await t.test('P-12: the largest tables are kept once a day, and how they grew is told', async t => {
      const { database } = await told('/servers/coordinator')
      const { tables } = await told(`/server/coordinator/db/${database}/tables/stats`)
      t.match(tables[0], { at: [String, String], total_bytes: [Number, Number], dead_rows: [Number, Number] })
      t.same((await told(`/server/coordinator/db/none/tables/stats`)).tables, [])
      t.equal((await server.ask('GET', '/pgmon/server/none/db/x/tables/stats')).status, 404)
    })

    await t.test('P-12: it is told when each collector was there, and when it comes next', async t => {
      t.match(await told('/collectors?sort=-took_ms&server=coordinator&limit=1'), {
        total: 4,
        rounds: [
          { server: 'coordinator', every_s: Number, due_at: String, ended_at: String, took_ms: Number },
        ],
      })
      t.equal((await server.ask('GET', '/pgmon/collectors?server=none')).status, 404)
    })

    await t.test('P-13: the width follows from the time', async t => {
      const widthOf = async (days: number) =>
        (await told(`/server/coordinator/stats?from=${clock.wallMs() - days * 24 * HOUR_MS}`)).width
      t.strictSame(await Promise.all([1, 10, 60, 300].map(widthOf)), ['raw', '1h', '4h', '1d'])
    })

    for (const [query, status] of [
      ['server/none/stats', 404],
      ['server/coordinator/db/none/stats', 404],
      ['server/coordinator/stats?figures=password', 400],
      ['server/coordinator/stats?figures=connections,connections', 400],
      ['server/coordinator/stats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 400],
      ['server/coordinator/stats?from=2000-01-01T00:00:00Z', 400],
      ['server/coordinator/stats?from=yesterday', 400],
      ["server/coordinator/db/x'%20or%20'1'='1/stats", 404],
      ['logs?level=loud', 400],
      ['logs?server=none', 404],
      ['logs?after=W10', 400],
    ] as const)
      await t.test(`${query} is answered ${status}`, async t => {
        t.equal((await server.ask('GET', `/pgmon/${query}`)).status, status)
      })

    await t.test(
      'P-11: admins set how often servers are visited, within bounds, and the audit has it',
      async t => {
        t.match(await told('/settings'), {
          activity_minutes: 10,
          sizes_minutes: 30,
          disk_minutes: 30,
          upkeep_hours: 24,
          history_months: 12,
          logs_days: 30,
        })
        const put = (body: object) => server.ask('PUT', '/pgmon/settings', { body })
        t.match(await put({ activity_minutes: 5 }), {
          status: 200,
          body: { activity_minutes: 5, sizes_minutes: 30 },
        })
        const [event] = await until('the audit has it', async () => {
          const { audit } = (await server.ask('GET', '/api/v1/audit?kind=monitor.settings')).body
          return audit.length > 0 && audit
        })
        t.match(event, { actor: 'operator', detail: { activity_minutes: 5 } })
        for (const body of [
          {},
          { activity_minutes: 0 },
          { activity_minutes: 1.5 },
          { history_months: 97 },
          { logs_days: '7' },
          { more: 1 },
        ])
          t.equal((await put(body)).status, 400, JSON.stringify(body))
        t.match(
          (await told('/collectors')).rounds.filter(
            ({ collector }: { collector: string }) => collector === 'activity',
          ),
          [{ every_s: 300 }],
        )
      },
    )

    await t.test(
      'P-11: a server that goes down is in the log, and counted by day, level and kind',
      async t => {
        const body = { name: 'gone', host: '127.0.0.1', port: 1, user: 'boson', tls: 'disable' }
        t.equal((await server.ask('POST', '/pgmon/servers', { body })).status, 201)
        await until('two looks have found it so', async () => {
          clock.advance(90_000)
          await told('/server_stats/gone')
          return (await told('/logs?server=gone')).total > 0
        })
        t.match(await told('/logs?server=gone&level=error&limit=1'), {
          logs: [{ server: 'gone', level: 'error', kind: 'server.down', message: String }],
          total: 1,
          next: null,
        })
        t.match(await told('/logs/stats'), {
          levels: { error: 1 },
          kinds: [{ kind: 'server.down', count: 1 }],
          days: [{ count: Number }],
        })
        t.equal((await server.ask('POST', '/pgmon/servers/gone/collect')).status, 200)
        t.match((await told('/collectors?server=gone')).rounds[0], { collector: 'activity', error: String })
        t.strictSame((await told('/server/gone/stats')).at, [], 'there is a gap')
        t.equal((await server.ask('DELETE', '/pgmon/servers/gone')).status < 300, true)
        t.match(await told('/logs'), { total: 0 }, 'what befell it goes with it')
      },
    )

    await server.stop()
  })
})
