/** Peers at a wg-easy, from the request of their owner to the configuration on the phone. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { MovableClock } from '../support/movable-clock.js'
import { restServer } from '../support/rest-server.js'
import { newPublicKey, shopOf } from '../support/shop.js'
import { until } from '../support/until.js'
import { PASSWORD, startWgEasy } from '../support/wg-easy.js'

const DAY_MS = 86_400_000
const hasWgQuick = spawnSync('wg-quick', ['--help']).error === undefined

t.test('V-05: peers at a wg-easy', async t => {
  const fake = await startWgEasy(t, 14)
  const clock = new MovableClock()
  const server = await restServer(t, {
    clock,
    plugins: [access],
    env: {
      WG_KEY_POLICY: 'wg-easy',
      WG_EASY_URL: fake.url,
      WG_EASY_PASSWORD: PASSWORD,
      WG_EASY_NETWORKS: '127.0.0.0/8',
    },
  })
  const { ask } = server
  const shop = await shopOf(server)
  const [ada, ops] = [await shop.person('ada'), await shop.person('ops', 'operator')]
  await shop.assign(ada, 'family')
  const made = await shop.peer(ada, { name: 'Anna’s phone' })
  const [client] = fake.clients
  const at = `/vpn_peers/${made.body.id}`
  const config = (token: string, format: string) => ask('GET', `${at}/config?format=${format}`, { token })

  await t.test('the keys are made there, and the private one is in the answer', async t => {
    t.match(made, {
      status: 201,
      body: {
        provisioner: 'wg-easy',
        status: 'active',
        wg_ip: '10.8.0.2',
        wg_public_key: client?.publicKey,
        wg_private_key: client?.privateKey,
      },
    })
    t.equal(client?.name, made.body.identity)
    const sent = await shop.peer(ada, { public_key: newPublicKey() })
    t.match(sent, { status: 400, body: { detail: /wg-easy makes the keys/ } })
  })

  await t.test(
    'its owner gets a configuration that wg-quick reads, and a QR code; operators get no keys',
    async t => {
      const conf = await config(ada.token, 'conf')
      t.match(conf.headers.get('content-type'), 'text/plain')
      t.match(conf.body, `# ${made.body.identity}, Anna’s phone\n`)
      for (const line of [
        `PrivateKey = ${client?.privateKey}`,
        `PresharedKey = ${client?.presharedKey}`,
        'Address = 10.8.0.2/32',
        'Endpoint = vpn.example.org:51820',
        'AllowedIPs = 0.0.0.0/0, ::/0',
        'DNS = 1.1.1.1',
      ])
        t.match(conf.body, `${line}\n`)
      if (hasWgQuick) t.match(stripped(conf.body), `PrivateKey = ${client?.privateKey}\n`)
      t.equal((await config(ada.token, 'json')).body.conf, conf.body)
      const svg = await ask('GET', '/vpn_peers/self/config', {
        token: ada.token,
        headers: { accept: 'image/svg+xml' },
      })
      t.match(svg.headers.get('content-type'), 'image/svg+xml')
      t.match(svg.body, /^<svg [^>]*viewBox/)
      t.match((await config(ada.token, 'qr')).body, /^█{20}/)
      t.match(await config(ada.token, 'sh'), { status: 409, body: { detail: /needs no agent/ } })

      const theirs = (await config(ops.token, 'conf')).body
      t.match(theirs, '# PrivateKey = the one of')
      t.notMatch(theirs, 'PresharedKey')
    },
  )

  await t.test('it follows what its account is entitled to, and what its owner wants', async t => {
    await ask('POST', `${at}/deactivate`, { token: ada.token })
    t.equal(client?.enabled, false)
    await ask('POST', `${at}/activate`, { token: ada.token })
    t.equal(client?.enabled, true)
    clock.advance(31 * DAY_MS)
    await until('it is switched off when its tariff ends', () => client?.enabled === false, 5_000)
    await shop.assign(ada, 'family')
    await until('it is switched on when it is renewed', () => client?.enabled === true, 5_000)
  })

  await t.test('what cannot be set up now is set up later, and says so meanwhile', async t => {
    const token = await shop.signIn('ada')
    fake.intercept = (_, response) => {
      response.writeHead(500).end()
      return true
    }
    const { status, body } = await ask('POST', '/vpn_peers/self', { token, body: { name: 'tablet' } })
    t.match([status, body.status, body.wg_private_key, body.error], [201, 'pending', null, null])
    const seen = await ask('GET', `/vpn_peers/${body.id}`)
    t.match(seen.body.error, /wg-easy/, 'operators see why')
    t.match(await ask('GET', `/vpn_peers/${body.id}/config`, { token }), {
      status: 409,
      body: { code: 'pending' },
    })
    fake.intercept = () => false
    clock.advance(60_000)
    await until(
      'it is there',
      async () => (await ask('GET', `/vpn_peers/${body.id}`)).body.status === 'active',
    )
    const later = await ask('GET', `/vpn_peers/${body.id}/config`, { token })
    t.equal(later.body.wg_private_key, fake.clients[1]?.privateKey)

    t.match(await ask('DELETE', `/vpn_peers/${body.id}`, { token }), { body: { status: 'removed' } })
    t.equal(fake.clients.length, 1)
  })
})

function stripped(conf: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'boson-conf-'))
  try {
    const path = join(folder, 'peer.conf')
    writeFileSync(path, conf, { mode: 0o600 })
    return execFileSync('wg-quick', ['strip', path], { encoding: 'utf8', stdio: 'pipe' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
