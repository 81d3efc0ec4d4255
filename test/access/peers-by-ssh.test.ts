/** Peers on a WireGuard host that is reached by SSH, with the whole coordinator in front of it: V-09. */
import { chmodSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { openHost } from '../../src/access/ssh/open.js'
import { readConfig } from '../../src/app/config.js'
import { runChecks } from '../../src/app/doctor/check.js'
import { wireguardChecks } from '../../src/app/doctor/wireguard-elsewhere.js'
import { systemClock } from '../../src/kit/clock.js'
import { MovableClock } from '../support/movable-clock.js'
import { restServer } from '../support/rest-server.js'
import { newPublicKey, shopOf } from '../support/shop.js'
import { KEY, settingsFor, startSshHost } from '../support/ssh-host.js'
import { until } from '../support/until.js'
import { PASSWORD, startWgEasy } from '../support/wg-easy.js'

const DAY_MS = 86_400_000

t.test('V-09: a peer is on the host while its account may, and no longer', async t => {
  const fake = await startSshHost(t)
  const clock = new MovableClock()
  const server = await restServer(t, { clock, plugins: [access], env: settingsFor(t, fake) })
  const shop = await shopOf(server)
  const ada = await shop.person('ada')
  await shop.assign(ada, 'family')
  const key = newPublicKey()
  const made = await shop.peer(ada, { name: 'phone', public_key: key })
  t.match(made, { status: 201, body: { provisioner: 'ssh', status: 'active', wg_ip: '10.8.0.2' } })
  t.equal(fake.peers.get(key)?.allowedIps, '10.8.0.2/32')
  const at = `/vpn_peers/${made.body.id}`
  const conf = await server.ask('GET', `${at}/config?format=conf`, { token: ada.token })
  for (const line of ['Address = 10.8.0.2/32', `PublicKey = ${KEY}`, 'Endpoint = 127.0.0.1:51820'])
    t.match(conf.body, line)

  clock.advance(31 * DAY_MS)
  await until('it is taken away when the tariff ends', () => !fake.peers.has(key), 10_000)
  await shop.assign(ada, 'family')
  await until('it is back when it is renewed', () => fake.peers.has(key), 10_000)
  const token = await shop.signIn('ada')
  t.match(await server.ask('DELETE', at, { token }), { body: { status: 'removed' } })
  t.equal(fake.peers.size, 0)
})

t.test('a peer waits while the host shows another key, and the audit has it', async t => {
  const fake = await startSshHost(t)
  const env = { ...settingsFor(t, fake), WG_SSH_HOST_KEY: `SHA256:${'A'.repeat(43)}` }
  const server = await restServer(t, { plugins: [access], env })
  const shop = await shopOf(server)
  const ada = await shop.person('ada')
  await shop.assign(ada, 'family')
  const made = await shop.peer(ada, { public_key: newPublicKey() })
  t.match(made.body, { status: 'pending', error: null })
  t.match(
    (await server.ask('GET', `/vpn_peers/${made.body.id}`)).body.error,
    fake.hostKey,
    'operators see why',
  )
  const alarms = async () => {
    const { body } = await server.ask('GET', '/api/v1/audit?kind=wireguard_host.key_changed')
    return body.audit.length
  }
  await until('the audit has it', async () => (await alarms()) === 1)
  t.equal(fake.letIn, 0)
})

t.test('a key that others could read is not used', async t => {
  const fake = await startSshHost(t)
  const env = settingsFor(t, fake)
  const config = readConfig({ flags: {}, env })
  const open = () => openHost(config, systemClock, () => undefined)
  t.ok(open())
  chmodSync(env.WG_SSH_KEY, 0o640)
  t.throws(open, { code: 'SSH_SETTINGS', message: /WG_SSH_KEY.*mode 640.*chmod 600/ })
  chmodSync(env.WG_SSH_KEY, 0o600)
  for (const text of ['', 'nonsense', fake.userKey.getPublicPEM()]) {
    writeFileSync(env.WG_SSH_KEY, text)
    t.throws(open, { code: 'SSH_SETTINGS', message: /WG_SSH_KEY/ })
  }
})

t.test(
  'boson doctor says whether a WireGuard elsewhere can be reached, is the right one, and lets us in',
  async t => {
    const fake = await startSshHost(t)
    const wgEasy = await startWgEasy(t, 15)
    const env = {
      ...settingsFor(t, fake),
      WG_EASY_URL: wgEasy.url,
      WG_EASY_PASSWORD: PASSWORD,
      WG_EASY_NETWORKS: '127.0.0.0/8',
    }
    const look = async (more: Readonly<Record<string, string>> = {}) => {
      const checks = wireguardChecks(readConfig({ flags: {}, env: { ...env, ...more } }), systemClock)
      return await runChecks(checks, systemClock)
    }
    t.match(await look(), [
      { check: 'wg-easy', verdict: 'ok', found: /lists 0 clients/ },
      { check: 'wireguard host', verdict: 'ok', found: /0 peers of ours on wg0/ },
    ])
    t.match(await look({ WG_EASY_PASSWORD: 'other', WG_SSH_HOST_KEY: '' }), [
      { verdict: 'failed', found: /WG_EASY_PASSWORD/ },
      { verdict: 'failed', found: `WG_SSH_HOST_KEY=${fake.hostKey}` },
    ])
    t.match(await look({ WG_EASY_NETWORKS: '', WG_APPLY_ENABLED: '0' }), [
      { verdict: 'failed', found: /WG_EASY_NETWORKS/ },
      { verdict: 'warning', found: /told nothing/, advice: /WG_APPLY_ENABLED=1/ },
    ])
    t.same(
      wireguardChecks(readConfig({ flags: {}, env: {} }), systemClock),
      [],
      'who has none is told nothing',
    )
  },
)
