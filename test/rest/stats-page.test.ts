/** The page at `/stats`, in a browser. */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { noChromium, openPage } from '../support/chromium.js'
import { OPERATOR, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const NASTY = '<img src=x onerror="document.title=1">'

t.test(
  'H-14: people see the servers and their last heartbeats on a page, which asks nobody but the coordinator',
  { skip: noChromium() },
  async t => {
    const server = await restServer(t)
    for (let i = 0; i < 5; i++) {
      await server.ask('POST', '/heartbeat', {
        body: {
          server_id: 'server-001',
          generated_at: new Date(Date.now() - (5 - i) * 30_000).toISOString(),
          ready_at: new Date(Date.now() - (5 - i) * 30_000).toISOString(),
          cpu_total_pct: 20 + 10 * i,
          mem_total_mb: 2_048,
          mem_free_mb: 1_024,
          latency_p50_ms: 25.5,
        },
      })
    }
    await server.ask('PATCH', '/servers/server-001', { body: { description: NASTY } })
    const page = await openPage(t)
    await page.resize(1_400, 900)
    await page.open(`${server.url}/stats`)

    await page.type('#token', 'not the token')
    await page.click('#sign-in button')
    t.match(await until('it is refused', async () => (await page.text('#said')) || undefined), /Bearer/)

    await page.type('#token', OPERATOR)
    await page.click('#sign-in button')
    t.match(await page.text('tbody tr'), /server-001\s*online/)
    t.match(await page.text('tbody tr'), /40 %\s*50 %\s*26 ms\s*5/)
    t.equal(await page.text('#said'), '1 of 1 online')

    await page.click('tbody button')
    t.match(await page.text('#plots figure'), /CPU\s*now 60 %/)
    t.match(await page.text('#one h2'), NASTY, 'what agents and operators write is text')
    t.equal(await page.evaluate('document.title'), 'BosonServer: servers')
    const folder = process.env['BOSON_PICTURES']
    for (const [width, height] of [
      [380, 800],
      [1_400, 900],
    ] as const) {
      await page.resize(width, height)
      if (folder !== undefined) writeFileSync(`${folder}/stats-${width}.png`, await page.picture())
      const used = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(used <= width, `at ${width} px it takes ${used}`)
    }
    t.same(
      page.requests.filter(url => !url.startsWith(`${server.url}/`) && !url.startsWith('data:')),
      [],
    )
    // The token that was not right.
    t.same(
      page.complaints.filter(text => !text.includes('401')),
      [],
    )
  },
)
