/** Paths whose WireGuards talk to each other, as the coordinator brings them together. */
import t from 'tap'
import { newKeyPair } from '../../src/protocol/proof.js'
import { type Pair, lastOf, countOf, pair, signalOf } from '../support/pair.js'
import type { RawAgent } from '../support/raw-agent.js'
import { initiation, tai64n } from '../support/wireguard-initiator.js'

const can = ['udp', 'wireguard'] as const
/** Where each end's WireGuard is seen, and by which socket of the agent the other end reaches it. */
const CLIENT = { mapped: '198.51.100.1', port: 40_001, remote: 'srflx 198.51.100.1:4000' }
const NODE = { mapped: '198.51.100.2', port: 40_002, remote: 'srflx 198.51.100.2:4000' }

t.test('a direct pair of WireGuards is brought together by where both show themselves', async t => {
  const { lab, client, node, link, show, native, shown } = await direct()
  for (const end of [client, node])
    t.match(end.last('path.reveal'), { link, endpoint: '20.0.0.1:3478', withinMs: 6_500 })
  await show(client)
  t.equal(lastOf(client, 'path.punch')?.via, 'udp', 'nobody is steered before both are known')
  await show(node)
  const asked = { link, attempt: 2, via: 'wireguard', startInMs: 250 }
  t.match(client.last('path.punch'), { ...asked, candidates: ['srflx 198.51.100.2:40002'] })
  t.match(node.last('path.punch'), { ...asked, candidates: ['srflx 198.51.100.1:40001'] })
  await native('direct')
  const settled = { type: 'path.settled', link, tier: 'direct', via: 'wireguard' }
  for (const end of [client, node]) t.strictSame(lastOf(end, 'path.settled'), settled)
  t.match(shown(), { tier: 'direct', via: 'wireguard', reason: null })
  await lab.live([client, node], 60_000)
  t.equal(countOf(client, 'path.punch'), 2, 'nothing better is tried')
})

t.test('ends that reach each other at addresses of their own need not show themselves', async t => {
  const { client, node, link, native, shown } = await direct({
    remotes: ['host 10.0.0.1:4000', 'host [2001:db8::2]:4000'],
  })
  for (const end of [client, node]) t.equal(countOf(end, 'path.reveal'), 0)
  t.match(client.last('path.punch'), { link, via: 'wireguard', candidates: ['host [2001:db8::2]:51820'] })
  t.match(node.last('path.punch'), { link, via: 'wireguard', candidates: ['host 10.0.0.1:51820'] })
  await native('direct')
  t.match(shown(), { via: 'wireguard' })
})

t.test('behind a NAT shows itself only who is behind one', async t => {
  const { client, node, show } = await direct({ remotes: [CLIENT.remote, 'host 198.51.100.2:4000'] })
  t.equal(countOf(node, 'path.reveal'), 0)
  await show(client)
  t.match(client.last('path.punch'), { via: 'wireguard', candidates: ['host 198.51.100.2:51820'] })
  t.match(node.last('path.punch'), { via: 'wireguard', candidates: ['srflx 198.51.100.1:40001'] })
})

t.test(
  'an address at which no check was answered is nobody’s, whoever writes it on an initiation',
  async t => {
    const { lab, client, node, link, show } = await direct({
      remotes: [CLIENT.remote, 'srflx 203.0.113.66:4000'],
    })
    await show(client)
    await show(node)
    t.equal(countOf(client, 'path.punch'), 1)
    await lab.live([client, node], 7_000)
    t.match(lastOf(client, 'path.settled'), { link, tier: 'direct', via: 'udp' })
  },
)

t.test('an end that hears nothing sends both back to their own sockets, and rests', async t => {
  const { lab, client, node, link, show, native, shown } = await direct()
  await show(client)
  await show(node)
  await native('direct', [client])
  await native('failed', [node], 'no_answer')
  const settled = { type: 'path.settled', link, tier: 'direct', via: 'udp' }
  for (const end of [client, node]) t.strictSame(lastOf(end, 'path.settled'), settled)
  t.match(shown(), { tier: 'direct', via: 'udp', reason: null })
  for (const end of [client, node]) end.forget()
  await lab.live([client, node], 2_400)
  t.equal(countOf(client, 'path.reveal'), 0)
  await lab.live([client, node], 2_700)
  t.equal(countOf(client, 'path.reveal'), 1)
})

t.test('a WireGuard that does not show itself is not waited for', async t => {
  const { lab, client, node, show, shown } = await direct()
  await show(client)
  await lab.live([client, node], 7_000)
  t.equal(countOf(client, 'path.punch'), 1)
  t.match(lastOf(node, 'path.settled'), { tier: 'direct', via: 'udp' })
  await show(node)
  t.equal(countOf(client, 'path.punch'), 1, 'too late')
  t.match(shown(), { via: 'udp' })
})

t.test('what one WireGuard loses is told to the other at once, and tried again later', async t => {
  const { lab, client, node, show, native, shown } = await direct()
  await show(client)
  await show(node)
  await native('direct')
  for (const end of [client, node]) end.forget()
  await native('lost', [node], 'silent', 2)
  t.match(lastOf(client, 'path.settled'), { tier: 'direct', via: 'udp' })
  t.match(shown(), { tier: 'direct', via: 'udp', reason: null })
  await lab.live([client, node], 6_000)
  t.equal(countOf(client, 'path.reveal'), 1)
})

t.test('WireGuard goes on when only the sockets beside it are lost, and then there is the relay', async t => {
  const { client, node, show, report, native, shown } = await direct()
  await show(client)
  await show(node)
  await native('direct')
  await report('lost', [node], { attempt: 1, cause: 'silent' })
  t.match(shown(), { tier: 'direct', via: 'wireguard' })
  await native('lost', [client], 'silent', 2)
  t.match(shown(), { tier: 'relayed', reason: 'direct_lost' })
})

t.test('an end that comes back and says both is left alone, one that says less is told', async t => {
  for (const repeated of [['udp', 'wireguard'], ['udp']] as const) {
    const { lab, client, node, link, show, native, shown } = await direct()
    await show(client)
    await show(node)
    await native('direct')
    const { ticket } = node.last('registered')
    lab.internet.drop('fra-1')
    const back = await lab.raw('node', 'fra-1', node.keys)
    back.say({ type: 'resume', ticket })
    await lab.clock.run(100)
    for (const via of repeated) {
      const attempt = via === 'udp' ? 1 : 2
      back.say({ type: 'path.attempt', link, attempt, via, outcome: 'direct', tried: [] })
    }
    back.say({ type: 'path.ready', link, ownPort: 51_820 })
    await lab.clock.run(100)
    t.match(shown(), { tier: 'direct', via: repeated.at(-1) })
    if (repeated.length === 1) t.match(lastOf(client, 'path.settled'), { tier: 'direct', via: 'udp' })
  }
})

t.test('after a restart of the coordinator the sockets count, and WireGuard is found again', async t => {
  const { lab, client, node, link, show, native, shown } = await direct()
  await show(client)
  await show(node)
  await native('direct')
  await lab.live([client, node], 5_000)
  lab.crash()
  await lab.boot()
  const ends = await Promise.all(
    [client, node].map(async agent => {
      const back = await lab.raw(agent.hello().role, agent.hello().id, agent.keys)
      back.say({ type: 'resume', ticket: agent.last('registered').ticket })
      await lab.clock.run(100)
      const word = { type: 'path.attempt', link, outcome: 'direct', tried: [] } as const
      back.say(
        { ...word, attempt: 2, via: 'wireguard' },
        { ...word, attempt: 1, via: 'udp' },
        { type: 'path.ready', link, ownPort: 51_820 },
        signalOf(agent, link, 1),
      )
      await lab.clock.run(100)
      return back
    }),
  )
  t.match(shown(), { tier: 'direct', via: 'udp' })
  for (const end of ends) t.match(lastOf(end, 'path.settled'), { tier: 'direct', via: 'udp' })
  await lab.live(ends, 2_000)
  for (const end of ends) t.equal(countOf(end, 'path.reveal'), 1)
})

interface Direct extends Pair {
  /** The end's WireGuard sends an initiation to the ear that it was told. */
  readonly show: (end: RawAgent) => Promise<void>
  /** These ends say how the newest attempt by WireGuard went, or the one that is named. */
  readonly native: (
    outcome: 'direct' | 'failed' | 'lost',
    ends?: readonly RawAgent[],
    cause?: 'no_answer' | 'silent',
    attempt?: number,
  ) => Promise<void>
}

/** Two ends with WireGuard whose path is direct by the agents' sockets, and that were asked for more. */
async function direct({
  remotes = [CLIENT.remote, NODE.remote],
}: {
  remotes?: readonly [string, string]
} = {}): Promise<Direct> {
  const made = await pair({ node: { can }, client: { can } })
  const { lab, client, node, link, signal, report } = made
  for (const end of [client, node]) end.say({ type: 'path.ready', link, ownPort: 51_820 })
  await signal()
  const [ofClient, ofNode] = remotes
  await report('direct', [client], { remote: ofNode })
  await report('direct', [node], { remote: ofClient })
  await lab.clock.run(1_000)
  lab.host('wireguard-client', { addresses: [CLIENT.mapped] })
  lab.host('wireguard-node', { addresses: [NODE.mapped] })
  let shownTimes = 0
  return {
    ...made,
    async show(end) {
      const { publicKey, endpoint } = { publicKey: newKeyPair().publicKey, endpoint: '', ...lastReveal(end) }
      const [at, name] =
        end === client ? ([CLIENT, 'wireguard-client'] as const) : ([NODE, 'wireguard-node'] as const)
      const socket = lab.internet.udp.listen(name, { address: at.mapped, port: at.port }, () => {})
      const [address = '', port = ''] = endpoint.split(':')
      socket?.send(initiation(end.keys, publicKey, tai64n(++shownTimes * 1e8)), {
        address,
        port: Number(port),
      })
      await lab.clock.run(200)
      socket?.close()
    },
    async native(outcome, ends = [client, node], cause, attempt) {
      for (const end of ends) {
        end.say({
          type: 'path.attempt',
          link,
          attempt: attempt ?? end.last('path.punch').attempt,
          via: 'wireguard',
          outcome,
          tried: [],
          ...(cause !== undefined && { cause }),
        })
      }
      await lab.clock.run(100)
    },
  }
}

const lastReveal = (end: RawAgent) => end.heard.findLast(event => event.type === 'path.reveal')
