/** The page at `/docs`, in a browser. */
import t from 'tap'
import { noChromium, openPage } from '../support/chromium.js'
import { coordinator, OPERATOR_TOKEN } from '../support/coordinator.js'
import { until } from '../support/until.js'

const ONE = '#operations-status-getStatus'

t.test(
  'the page asks nobody but the coordinator, and has nothing to complain of',
  { skip: noChromium() },
  async t => {
    const { port } = await coordinator(t)
    const origin = `http://127.0.0.1:${port}`
    const page = await openPage(t)

    await t.test('an endpoint is tried with the token', async t => {
      await page.resize(1400, 900)
      await page.open(`${origin}/docs`)
      await page.click('.btn.authorize')
      await page.type('.auth-container input', OPERATOR_TOKEN)
      await page.click('.auth-container .btn.authorize')
      await page.click('.btn-done')
      await page.click('#operations-tag-status .expand-operation')
      await page.click(`${ONE} .opblock-summary-control`)
      // Its button is there a moment before the page has read what it stands for.
      const known = `ui.specSelectors.specResolvedSubtree(['paths', '/api/v1/status', 'get']) !== undefined`
      await until('the page knows the endpoint', () => page.evaluate<boolean>(known))
      await page.click(`${ONE} .btn.execute`)
      t.match(await page.text(`${ONE} .live-responses-table tbody .response-col_status`), '200')
    })

    await t.test('it fits a telephone', async t => {
      await page.resize(380, 800)
      await page.open(`${origin}/docs`)
      await page.click('#operations-tag-paths .expand-operation')
      await page.click('#operations-paths-getPaths .opblock-summary-control')
      await page.text('#operations-paths-getPaths .parameters')
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(width <= 380, `it is ${width} px wide`)
    })

    t.same(
      page.requests.filter(url => !url.startsWith(`${origin}/`) && !url.startsWith('data:')),
      [],
    )
    t.same(page.complaints, [])
  },
)
