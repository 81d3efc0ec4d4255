/** Tariffs, accounts, devices and payments in a real browser: what an admin does, and what its customer sees. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { browse, CHROMIUM, type Watched } from '../support/browser.js'
import { restServer } from '../support/rest-server.js'
import { settingsFor, startSshHost } from '../support/ssh-host.js'
import { MARKUP } from './corpus.js'
import { illegible, overflow } from './legible.js'

const skip = !existsSync(CHROMIUM) && 'chromium is not installed'
const PASSWORD = 'correct horse battery staple 9'

t.test(
  'an admin makes a tariff and gives it to somebody, who signs in, adds a device and buys more',
  { skip },
  async t => {
    const { port, ask } = await shop(t)
    const { page, requests, complaints } = await browse(t)
    const at = (hash: string) => page.goto(`http://127.0.0.1:${port}/inspector#${hash}`)
    await signIn(page, port, 'root')

    await at('/tariffs')
    await page.getByRole('button', { name: 'New tariff' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Month')
    await page.getByLabel('Price').fill('9,90')
    await page.getByLabel('Traffic, GB').fill('0.5')
    await page.getByRole('dialog').getByRole('button', { name: 'New tariff' }).click()
    await page.getByRole('link', { name: 'Month', exact: true }).click()
    await page.getByText('500 MB', { exact: true }).waitFor()
    t.match((await ask('GET', '/tariffs/?q=Month')).tariffs, [
      { price: '9.90', currency: 'EUR', traffic_limit_bytes: 500_000_000 },
    ])

    await at('/users/anna%40example.org')
    await page.getByText('No tariff so far').waitFor()
    await page.getByRole('button', { name: 'Assign tariff' }).click()
    await page
      .getByLabel('Tariff', { exact: true })
      .selectOption({ label: 'Month · 9.90 EUR · 30 days · 500 MB · 5 devices' })
    await page.getByRole('dialog').getByRole('button', { name: 'Assign tariff' }).click()
    await page.getByText(/29 d 23 h left/).waitFor()
    await page.getByText('0 B of 500 MB used').waitFor()
    t.pass('its state shows')

    await page.getByRole('button', { name: 'Sign out' }).click()
    await signIn(page, port, 'anna@example.org')
    await page.getByRole('heading', { name: 'Your VPN' }).waitFor()
    t.strictSame(
      await page.locator('a.nav-link').allTextContents(),
      ['Your VPNg o', 'Tariffsg t', 'Paymentsg y'],
      'a customer is led to nothing but its own',
    )
    await page.getByRole('button', { name: 'Add device' }).click()
    await page.getByLabel('Name of the device').fill('laptop')
    await page.getByRole('dialog').getByRole('button', { name: 'Add device' }).click()
    await page.getByText(/boson client --server \S+ --id peer-\d+/).waitFor()
    const key = (await page.locator('.takeaway-text').first().textContent()) ?? ''
    t.match(key, /^[A-Za-z0-9+/]{43}=$/, 'the key that the browser made is shown')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('cell', { name: /laptop/ }).waitFor()
    t.equal((await ask('GET', '/vpn_peers/')).peers[0].wg_public_key, publicOf(key))

    await at('/tariffs')
    await page.getByRole('button', { name: 'Renew' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Renew' }).click()
    await page.getByText(/naming payment 1/).waitFor()
    await ask('POST', '/payments/1/confirm', { note: MARKUP[0] })
    await at('/')
    await page.getByText(/59 d 23 h left/).waitFor()
    t.pass('what it has paid for shows')

    await at('/actors')
    await page.getByText('Not for you').waitFor()
    t.strictSame(
      requests.filter(url => new URL(url).host !== `127.0.0.1:${port}` && !url.startsWith('blob:')),
      [],
    )
    t.notOk(
      requests
        .slice(requests.findLastIndex(url => url.endsWith('/sign-in')))
        .some(url => url.startsWith('ws')),
      'a customer takes no socket of those who look after the mesh',
    )
    t.strictSame(complaints, [], 'the console is silent')
  },
)

t.test('names, notes, and what a host says by SSH are text on every page', { skip }, async t => {
  const host = await startSshHost(t)
  host.intercept = () => ({ code: 70, complaint: MARKUP[7] })
  const { port, ask } = await shop(t, settingsFor(t, host))
  const { page, complaints } = await browse(t)
  const [tariffName, deviceName, note] = MARKUP
  const tariff = await ask('POST', '/tariffs/', { name: tariffName, description: MARKUP[4], price: '5' })
  await ask('POST', '/auth/assign_tariff?user_id=1', { tariff_id: tariff.id })
  await ask('POST', '/vpn_peers/', { user_id: 1, name: deviceName })
  await ask('POST', '/payments/create', { user_id: 1, tariff_id: tariff.id, provider: 'manual' })
  await ask('POST', '/payments/1/fail', { note })
  const shown: readonly (readonly [hash: string, text: string])[] = [
    ['/tariffs', tariffName],
    ['/tariffs/1', MARKUP[4]],
    ['/users/anna%40example.org', deviceName],
    ['/subscriptions', tariffName],
    ['/peers', deviceName],
    ['/peers/1', MARKUP[7]],
    ['/payments', tariffName],
    ['/payments/1', note],
  ]
  const look = async (hash: string, text: string) => {
    await page.goto(`http://127.0.0.1:${port}/inspector#${hash}`)
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
  await signIn(page, port, 'root')
  for (const [hash, text] of shown) await look(hash, text)
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, port, 'anna@example.org')
  await look('/', deviceName)
  await look('/tariffs', MARKUP[4])
  await look('/payments/1', tariffName)
  t.strictSame(complaints, [], 'no script ran, and the console is silent')
})

/** A coordinator with an admin and a customer, whose number is 1; `ask` asks as its operator. */
async function shop(t: Test, env: Readonly<Record<string, string>> = {}) {
  const server = await restServer(t, { env })
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await server.ask(method, path, { body })
    t.ok(answer.status < 400, `${method} ${path}`)
    return answer.body
  }
  for (const [name, role] of [
    ['anna@example.org', 'user'],
    ['root', 'admin'],
  ])
    await ask('POST', '/api/v1/users', { name, role, password: PASSWORD })
  return { port: server.port, ask }
}

/** Returns the public key of a private one, both in base64. */
function publicOf(privateKey: string): string {
  // PKCS #8 of X25519 (RFC 8410) ends in the 32 bytes of the key.
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b656e04220420', 'hex'),
    Buffer.from(privateKey, 'base64'),
  ])
  const { x = '' } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  })
  return Buffer.from(x, 'base64url').toString('base64')
}

async function signIn(page: Watched['page'], port: number, name: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/inspector`)
  await page.getByLabel('Account').fill(name)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('a.nav-link').first().waitFor()
}
