/** The inspector in a real browser, before the built command and real agents: what an operator sees and does. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { MeshClient, MeshNode } from '../../src/agent/index.js'
import { commandIn, startServer } from '../support/boson.js'
import { browse, CHROMIUM, type Watched } from '../support/browser.js'
import { agentOn } from './agents.js'
import { MARKUP } from './corpus.js'
import { illegible, overflow } from './legible.js'

const skip = !existsSync(CHROMIUM) && 'chromium is not installed'
/** Where screenshots go, for people to look at; none are made when it is not set. */
const SHOTS = process.env['INSPECTOR_SHOTS']

t.test(
  'an operator signs in, finds a node, sees it leave, drains another and reads why a path is relayed',
  { skip },
  async t => {
    const { server, mesh, password } = await demo(t)
    const { page, requests, complaints } = await browse(t)
    const at = (hash: string) => `http://127.0.0.1:${server.port}/inspector#${hash}`

    await page.goto(at('/'))
    await page.getByLabel('Account').fill('root')
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    t.match(await page.getByRole('alert').textContent(), /password/i, 'a wrong password is told so')
    // The browser itself writes a refused request to the console.
    const refused = complaints.length
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()

    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.locator('.stat', { hasText: 'Nodes online' }).getByText('3', { exact: true }).waitFor()
    t.pass('the overview counts the nodes')

    await page.keyboard.press('/')
    await page.keyboard.type('fra')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'node/fra-1', exact: true }).first().click()
    await page.getByRole('heading', { name: 'fra-1' }).waitFor()
    await page
      .getByText(/online/)
      .first()
      .waitFor()
    t.pass('a node is found by typing')

    await mesh.nodes.fra.stop()
    await page
      .getByText(/no actor|is gone|suspended|has ended/i)
      .first()
      .waitFor()
    t.pass('its page shows that it has left')

    await page.goto(at('/routes?client=alice'))
    const node = page.getByRole('row').filter({ hasText: 'alice' }).getByRole('link', { name: /-1$/ })
    await node.waitFor()
    const before = (await node.textContent()) ?? ''
    await page.goto(at(`/actors/${encodeURIComponent(`node/${before}`)}`))
    await page.getByRole('button', { name: 'Drain' }).click()
    await page
      .getByRole('dialog')
      .getByText(/move to other nodes/)
      .waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
    await page.getByText(new RegExp(`${before} is drained`)).waitFor()
    await page.goto(at('/routes?client=alice'))
    await page
      .getByRole('row')
      .filter({ hasText: 'alice' })
      .getByRole('link', { name: before === 'ams-1' ? 'sin-1' : 'ams-1', exact: true })
      .waitFor()
    t.pass('its client moves to another node')

    await page.goto(at('/paths?client=alice'))
    await page.getByRole('row').filter({ hasText: 'alice' }).getByRole('link').first().click()
    await page
      .getByText(/way off the relay/)
      .first()
      .waitFor()
    t.pass('it says why the path is relayed')

    await page.goto(at('/audit?kind=node.drained'))
    await page.getByRole('cell', { name: 'root' }).first().waitFor()
    t.pass('the audit has who did it')

    await server.end('SIGKILL')
    await page.getByText(/The connection is lost/).waitFor()
    t.pass('it says when the coordinator is away')

    const origin = `127.0.0.1:${server.port}`
    t.strictSame(
      requests.filter(url => new URL(url).host !== origin),
      [],
      'no request leaves the origin',
    )
    // The browser itself writes a socket that it cannot open.
    const others = complaints.slice(refused).filter(text => !/WebSocket connection to/.test(text))
    t.strictSame(others, [], 'the console is silent')
  },
)

t.test(
  'every view can be read at every width and in both themes, and makes no markup of data',
  { skip },
  async t => {
    const { server, password } = await demo(t)
    const { page, complaints } = await browse(t)
    await signIn(page, server.port, password)
    for (const [width, colorScheme] of LOOKS) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: width === 380 ? 800 : 1100 })
      for (const [name, hash] of VIEWS) {
        await page.goto(`http://127.0.0.1:${server.port}/inspector#${hash}`)
        await page.locator('main h1').first().waitFor()
        await page.locator('[aria-busy]').waitFor({ state: 'detached' })
        const where = `${name}, ${width} px, ${colorScheme}`
        t.strictSame(await illegible(page), [], `${where}: enough contrast`)
        t.ok((await overflow(page)) <= 0, `${where}: nothing is wider than the window`)
        if (SHOTS !== undefined) {
          mkdirSync(SHOTS, { recursive: true })
          await page.screenshot({ path: join(SHOTS, `${name}-${width}-${colorScheme}.png`) })
        }
      }
    }
    t.strictSame(complaints, [], 'no script ran, and the console is silent')
  },
)

/** Each width and both themes; for people, each width in both. */
const LOOKS: readonly (readonly [width: number, theme: 'light' | 'dark'])[] = [
  [380, 'light'],
  [380, 'dark'],
  [1280, 'light'],
  [2560, 'dark'],
  ...(SHOTS === undefined
    ? []
    : ([
        [1280, 'dark'],
        [2560, 'light'],
      ] as const)),
]

const VIEWS = [
  ['overview', '/'],
  ['actors', '/actors'],
  ['tree', '/actors?view=tree'],
  ['actor', '/actors/node%2Fams-1'],
  ['gone', '/actors/node%2Fnobody'],
  ['map', '/mesh?view=map'],
  ['graph', '/mesh?view=graph'],
  ['routes', '/routes'],
  ['route', '/routes/alice'],
  ['paths', '/paths'],
  ['why', '/why?a=alice&b=ams-1'],
  ['log', '/log'],
  ['audit', '/audit'],
  ['jobs', '/jobs'],
  ['users', '/users'],
  ['enrolment-keys', '/enrolment-keys'],
] as const

async function signIn(page: Watched['page'], port: number, password: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/inspector`)
  await page.getByLabel('Account').fill('root')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

/** Three nodes, two clients with routes, and an account; what agents say of themselves is markup. */
async function demo(t: Test) {
  const cwd = t.testdir()
  const server = await startServer(t, { cwd })
  const boson = commandIn(t, { cwd, env: { PORT: String(server.port) } })
  const first = await boson('users', 'first', 'root', '--json')
  const { password } = JSON.parse(first.stdout) as { password: string }
  const { secret } = JSON.parse((await boson('enrol', '--json', '--uses', '100')).stdout) as {
    secret: string
  }
  const at = (id: string, country: string | null, latitude: number | null, longitude: number | null) =>
    ({ id, country, region: MARKUP[1], agent: MARKUP[0], latitude, longitude }) as const
  const make = { t, port: server.port, secret }
  const nodes = {
    fra: (await agentOn(make, 'node', at('fra-1', 'DE', 50.1, 8.7))) as MeshNode, // asked for as such
    ams: (await agentOn(make, 'node', at('ams-1', 'NL', 52.4, 4.9))) as MeshNode,
    sin: (await agentOn(make, 'node', at('sin-1', null, null, null))) as MeshNode,
  }
  for (const id of ['alice', 'bob']) {
    const client = (await agentOn(make, 'client', at(id, 'DE', 48.1, 11.6))) as MeshClient
    await client.route({ exclude: ['fra-1'] })
  }
  for (const note of MARKUP) await boson('enrol', '--note', note)
  await boson('kick', 'bob', '--reason', MARKUP[2])
  return { server, password, mesh: { nodes } }
}
