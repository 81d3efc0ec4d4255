import t from 'tap'
import { until } from '../support/until.js'
import { connected, makeMesh, online } from './made-mesh.js'
import { cannotRun } from './namespaces.js'
import { Pinging } from './processes.js'
import { INTERNET, type Lab } from './star.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

const PING_EVERY_MS = 10
/**
 * Lost beside the answers that are on their way when WireGuard takes the next exit, which it then believes no more.
 * On a quiet machine it is none or one; on a busy one the client's agent may be late.
 */
const LOST_MOST = 40

t.test(`a client moves from one exit to the next, and its pings go on${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab } = mesh
  const node = mesh.startNode('--exit')
  await online(node)
  const client = mesh.startClient('--all')
  await connected(client)
  const { interface: iface } = await client.says('it is online', ({ state }) => state === 'online')
  await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
  const index = () => lab.client.run('cat', `/sys/class/net/${iface}/ifindex`)
  const before = await index()

  const other = mesh.startOtherNode('--exit')
  await online(other)
  await openSecondExit(lab, other.lines.at(-1)?.interface ?? '')
  const ping = new Pinging(lab.client, INTERNET, PING_EVERY_MS / 1_000)
  await ping.flows(0)
  const from = ping.replies.at(-1)?.seq ?? 0

  t.equal(await node.end('SIGTERM'), 0, 'the node leaves when its client has moved')
  await connected(client, 'fra-2')
  t.match(client.err, /moved from fra-1 to fra-2: node_drained/)
  await ping.flows(Date.now() / 1_000)
  const { sent, lost } = ping.count(from)
  const gapMs = await ping.end()
  const round = ping
    .gaps()
    .map(({ after, before }) => `${after.seq}–${before.seq}, ${after.rttMs} ms and ${before.rttMs} ms`)
  if (lost > 0) t.comment(`missing between ${round.join('; ')}`)
  t.comment(`${lost} of ${sent} pings lost, no reply for ${Math.round(gapMs)} ms at most`)
  const underWay = Math.max(...ping.gaps().map(({ after }) => after.rttMs), 0) / PING_EVERY_MS
  t.ok(lost <= LOST_MOST + underWay, `${lost} of ${sent} pings lost`)
  t.equal(await index(), before, 'the interface is the same')
  // For a moment there may be a peer without allowed IPs, too: the coordinator's, which only looks.
  const peers = await until('one peer is left', async () => {
    const left = (await lab.client.run('wg', 'show', iface, 'allowed-ips')).trim().split('\n')
    return left.length === 1 && left
  })
  t.match(peers[0], /0\.0\.0\.0\/0/)
  t.equal(await client.end(), 0)
  t.equal(await other.end(), 0)
})

/** The coordinator's machine gets a way to the internet too, for the node on it alone. */
async function openSecondExit({ coordinator, internet }: Lab, iface: string): Promise<void> {
  await coordinator.script(
    `ip link add wan1 type veth peer name up1 netns ${internet.id}`,
    `ip address add 192.0.2.2 peer ${INTERNET} dev wan1`,
    'ip link set wan1 up',
    `nft add rule inet lab forward iifname ${iface} accept`,
    `nft add rule inet lab forward oifname ${iface} accept`,
  )
  await internet.script(`ip address add ${INTERNET} peer 192.0.2.2 dev up1`, 'ip link set up1 up')
  await until('the second exit reaches the internet', () => coordinator.reaches(INTERNET))
}
