/** From a payment to packets, and back: what was paid for is what the mesh allows, over real WireGuard. */
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../support/until.js'
import { connected, makeMesh, online } from './made-mesh.js'
import { cannotRun } from './namespaces.js'
import { Pinging, startAgent } from './processes.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

const SECRET = 'what-the-provider-of-this-test-signs-with'
const PERSON = { email: 'anna@example.org', password: 'a quiet evening by the lake' }
/** How soon the tariff ends once the tunnel carries, ms. */
const ENDS_IN_MS = 2_000
/** Within which the last packet has passed after the end, ms; a busy machine looks late. */
const SOON_MS = 3_000

/** What a provider delivers, signed. */
function delivery(event: object) {
  const body = JSON.stringify(event)
  const seconds = Math.floor(Date.now() / 1_000)
  const signature = createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex')
  return { token: null, body, headers: { 'x-boson-signature': `t=${seconds},v1=${signature}` } }
}

t.test(
  `V-06, V-13: what is paid for lets a device through the tunnel, until it ends${why}`,
  { skip },
  async t => {
    const mesh = await makeMesh(t, { BOSON_SIGN_UP: 'open', PAYMENT_WEBHOOK_SECRET: SECRET })
    const { coordinator, lab, root } = mesh
    const node = mesh.startNode()
    await online(node)
    const privateKey = await lab.client.run('wg', 'genkey')
    const keyFile = join(root, 'anna.key')
    writeFileSync(keyFile, privateKey, { mode: 0o600 })
    const publicKey = (await lab.client.run('sh', '-c', `wg pubkey < ${keyFile}`)).trim()

    interface Numbered {
      readonly id: number
    }
    const tariff = await coordinator.request<Numbered>('POST', '/tariffs/', {
      body: { name: 'A month', price: '9.90', currency: 'EUR', duration_days: 30 },
    })
    await coordinator.request('POST', '/auth/register', { token: null, body: PERSON })
    const { access_token: token } = await coordinator.request<{ access_token: string }>(
      'POST',
      '/auth/login',
      {
        token: null,
        body: PERSON,
      },
    )
    const payment = await coordinator.request<Numbered & { status: string }>('POST', '/payments/create', {
      token,
      body: { tariff_id: tariff.id, provider: 'generic', wg_public_key: publicKey },
    })
    t.equal(payment.status, 'pending')

    const paid = {
      id: 'evt_1',
      type: 'payment.completed',
      data: { payment_id: payment.id, provider_payment_id: 'ch_1', amount: '9.90', currency: 'EUR' },
    }
    const answers = [
      await coordinator.request('POST', '/payments/webhook', delivery(paid)),
      await coordinator.request('POST', '/payments/webhook', delivery(paid)),
    ]
    t.same(answers[1], answers[0], 'a delivery that comes again is answered alike')
    t.match(await coordinator.request('GET', `/payments/status/${payment.id}`, { token }), {
      status: 'completed',
    })

    interface Kit {
      readonly id: string
      readonly command: string
    }
    const { peers } = await coordinator.request<{ peers: readonly Numbered[] }>('GET', '/vpn_peers/self', {
      token,
    })
    t.equal(peers.length, 1, 'there is one peer')
    const { agent: kit } = await until('the peer is set up', () =>
      coordinator.request<{ agent: Kit }>('GET', '/vpn_peers/self/config', { token }).catch(() => null),
    )
    t.match(kit.command, /^boson client /)

    const device = [
      '--id',
      kit.id,
      '--key-file',
      keyFile,
      '--interface',
      lab.iface(),
      '--state-dir',
      join(root, 'anna'),
    ]
    const client = startAgent(lab.client, 'client', ...device)
    const { nodeAddress } = await connected(client)
    const ping = new Pinging(lab.client, nodeAddress)
    await ping.first()

    const { user_tariffs } = await coordinator.request<{ user_tariffs: readonly Numbered[] }>(
      'GET',
      '/user_tariffs/?current=true',
      { token },
    )
    const endsAtMs = Date.now() + ENDS_IN_MS
    await coordinator.request('PUT', `/user_tariffs/${user_tariffs[0]?.id}`, {
      body: { ends_at: new Date(endsAtMs).toISOString(), reason: 'the test ends sooner than a month' },
    })
    await ping.flows(Date.now() / 1_000)
    await client.says(
      'it is out, and says why',
      ({ refused, reason }) => refused === 'not_entitled' && reason === 'the tariff A month has ended',
    )
    await until('the route is gone', async () => {
      const { routes } = await coordinator.request<{ routes: readonly object[] }>('GET', '/api/v1/routes')
      return routes.length === 0
    })
    const lastMs = Math.max(...ping.replies.map(({ atS }) => atS)) * 1_000
    t.comment(`the last reply came ${Math.round(lastMs - endsAtMs)} ms after the end`)
    t.ok(lastMs > endsAtMs - 500, 'packets pass until the end')
    t.ok(lastMs < endsAtMs + SOON_MS, 'and none soon after it')
    t.match(await coordinator.request('GET', `/vpn_peers/${peers[0]?.id}/allowed`, { token }), {
      allowed: false,
    })

    await client.end()
    const later = startAgent(lab.client, 'client', ...device)
    await later.says('it is refused', ({ refused }) => refused === 'not_entitled')
    t.notOk(await lab.client.reaches(nodeAddress))
  },
)
