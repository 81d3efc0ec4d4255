/** Two WireGuards that talk past their agents: there without much loss, and back when it ends. */
import t, { type Test } from 'tap'
import { until } from '../support/until.js'
import { cannotRun } from './namespaces.js'
import type { LabHost } from './nat-lab.js'
import { NatMesh } from './nat-mesh.js'
import type { Pinging } from './processes.js'
import { settled, tryPair } from './trial.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`
/** What the switch may cost, of a hundred pings a second: a few, but on a machine with other work it takes a while. */
const LOST_MAX = 250
/** Silence is noticed after two seconds; a machine with other work may look late. */
const OUTAGE_MAX_MS = 20_000
/** WireGuard's own way rests before it is tried again. */
const AGAIN_MS = 150_000

t.test(`behind NATs that remap, WireGuards meet by their own sockets${why}`, { skip }, async t => {
  const mesh = await NatMesh.make('node=port,remap client=port,remap')
  t.teardown(() => mesh.remove())
  const node = mesh.startNode('node')
  await node.says('it is online', line => line.state === 'online')
  const { outcome, ping } = await tryPair(mesh, 'node', 'client')
  t.match(outcome, { tier: 'direct', via: 'wireguard', reason: null })
  const { attempts } = (await mesh.path('client')) ?? { attempts: [] }
  t.comment(
    `${outcome.lost} of ${outcome.sent} pings lost on the way from the relay; ${attempts.length} attempts`,
  )
  t.ok(outcome.lost <= LOST_MAX, `${outcome.lost} lost`)

  const via = (way: string, withinMs?: number) =>
    until(`${way} carries`, async () => (await mesh.path('client'))?.via === way, withinMs)

  await t.test('when only WireGuard’s port is shut, the agents’ sockets carry within seconds', async t => {
    const client = mesh.lab.host('client')
    const before = ping.replies.at(-1)?.seq ?? 0
    await shutPort(client, await wireguardPort(client))
    await via('udp')
    t.match(await settled(mesh, 'client'), { tier: 'direct', via: 'udp' })
    t.ok(outageMs(t, ping, before) < OUTAGE_MAX_MS)
    await open(client)
    await via('wireguard', AGAIN_MS)
  })

  await t.test('when UDP is cut, the relay carries within seconds, and WireGuard comes back', async t => {
    const before = ping.replies.at(-1)?.seq ?? 0
    await mesh.lab.cut('client', 'udp')
    await via('websocket')
    t.match(await settled(mesh, 'client'), { tier: 'relayed', via: 'websocket' })
    t.ok(outageMs(t, ping, before) < OUTAGE_MAX_MS)
    await mesh.lab.heal('client')
    await via('wireguard', AGAIN_MS)
  })
  await ping.end()
})

/** Returns the longest time without a reply since the reply `from`, ms. */
function outageMs(t: Test, ping: Pinging, from: number): number {
  const times = ping.replies.filter(({ seq }) => seq >= from).map(({ atS }) => atS)
  const longest = Math.max(...times.slice(1).map((at, i) => (at - (times[i] ?? at)) * 1_000))
  t.comment(`no reply for ${Math.round(longest)} ms, ${ping.count(from).lost} pings lost`)
  return longest
}

async function wireguardPort({ space }: LabHost): Promise<string> {
  const [iface = ''] = (await space.run('ip', '-o', '-4', 'address', 'show')).match(/b\w+x\d+/) ?? []
  return (await space.run('wg', 'show', iface, 'listen-port')).trim()
}

/** A silent hole for one UDP port of a host, at the next machine. */
async function shutPort({ uplink: { space, device } }: LabHost, port: string): Promise<void> {
  await space.script(
    `nft 'table netdev shut {
      chain from { type filter hook ingress device ${device} priority 0; udp sport ${port} drop; }
      chain to { type filter hook egress device ${device} priority 0; udp dport ${port} drop; }
    }'`,
  )
}

async function open({ uplink: { space } }: LabHost): Promise<void> {
  await space.script(`nft 'delete table netdev shut'`)
}
