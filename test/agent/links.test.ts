import t, { type Test } from 'tap'
import { newCounters } from '../../src/agent/counters.js'
import { Links } from '../../src/agent/links.js'
import type { Wire } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { NotebookTunnel } from './support/notebook-tunnel.js'
import { pathOpen } from './support/rig.js'

const LINK = 0x1_0001
const OWN = { overlay4: '10.77.0.2/32', overlay6: 'fd77::2/128', mtu: 9_000 }

t.test('a link is set up after the addresses, and reported when it is', async t => {
  const { links, tunnel, said, told } = parts(t)
  links.addressed(OWN)
  links.hear(pathOpen(LINK))
  t.same(said, [])
  await links.idle()
  t.same(tunnel.did, ['addressed', `open ${LINK}`])
  t.same(said, [{ type: 'path.ready', link: LINK }])
  t.same(told, [`opened ${LINK}`])
})

t.test('opening again updates the link and says ready again', async t => {
  const { links, tunnel, said, told } = parts(t)
  links.hear(pathOpen(LINK))
  await links.idle()
  links.hear({ ...pathOpen(LINK), allowedIps: ['0.0.0.0/0'] })
  await links.idle()
  t.same(tunnel.did, [`open ${LINK}`, `open ${LINK}`])
  t.equal(said.length, 2)
  t.same(told, [`opened ${LINK}`, `opened ${LINK}`])
  t.equal(links.size, 1)
})

t.test('a link that cannot be set up is declined with the reason', async t => {
  const { links, tunnel, said, told } = parts(t)
  tunnel.fails = 'no such device\n'
  links.hear(pathOpen(LINK))
  await links.idle()
  t.same(said, [{ type: 'path.closed', link: LINK, reason: 'cannot be set up: no such device ' }])
  t.same(told, ['failed no such device\n', `closed ${LINK} no such device\n`])
  t.equal(links.size, 0)
})

t.test('addresses that could not be given are given with the next link', async t => {
  const { links, tunnel, said, told } = parts(t)
  tunnel.fails = 'busy'
  links.addressed(OWN)
  await turn()
  t.same(told, ['failed busy'])
  tunnel.fails = ''
  links.addressed(OWN)
  links.hear(pathOpen(LINK))
  await links.idle()
  t.same(tunnel.did, ['addressed', `open ${LINK}`])
  t.match(said, [{ type: 'path.ready' }])
})

t.test('a tunnel that throws at a packet costs that packet', async t => {
  const { links, tunnel, told } = parts(t)
  links.hear(pathOpen(LINK))
  await links.idle()
  tunnel.fails = 'broken'
  links.deliver(LINK, new Uint8Array(10))
  t.equal(told.at(-1), 'failed broken')
  tunnel.fails = ''
})

t.test('closing waits for the set-up, and a link that comes back waits for the closing', async t => {
  const { links, tunnel, said } = parts(t)
  links.hear(pathOpen(LINK))
  links.hear({ type: 'path.closed', link: LINK, reason: 'moved' })
  links.hear(pathOpen(LINK, 'another'))
  await links.idle()
  t.same(tunnel.did, [`close ${LINK}`, `open ${LINK}`], 'what is closed before its turn is not set up')
  t.same(said, [{ type: 'path.ready', link: LINK }])
  t.equal(links.get(LINK)?.peer.peerId, 'another')
})

t.test('a set-up that ends after the link was closed is taken down again', async t => {
  const { links, tunnel, said } = parts(t)
  tunnel.slow = true
  links.hear(pathOpen(LINK))
  await turn()
  t.same(tunnel.did, [`open ${LINK}`])
  links.hear({ type: 'path.closed', link: LINK, reason: 'moved' })
  tunnel.finish()
  await links.idle()
  t.same(tunnel.did, [`open ${LINK}`, `close ${LINK}`])
  t.same(said, [])
})

t.test('packets are counted per link, and dropped for links that are not there or not ready', async t => {
  const { links, tunnel, clock, counters } = parts(t)
  tunnel.slow = true
  links.hear(pathOpen(LINK))
  await turn()
  links.deliver(LINK, new Uint8Array(10))
  tunnel.finish()
  await links.idle()
  links.deliver(LINK, new Uint8Array(10))
  links.deliver(LINK + 1, new Uint8Array(10))
  tunnel.sends.get(LINK)?.(new Uint8Array(30))
  clock.advance(250)
  t.match(links.metrics(LINK), { rttMs: null, sentBytes: 30, receivedBytes: 10, lastReceivedMs: 250 })
  t.match(counters.dropped, { not_ready: 1, no_link: 1 })
  t.equal(links.countActive(), 1)
  t.equal(links.countActive(), 0, 'only traffic since the last time counts')
  const send = tunnel.sends.get(LINK)
  links.hear({ type: 'path.closed', link: LINK, reason: 'moved' })
  send?.(new Uint8Array(30))
  t.equal(counters.dropped.no_link, 2)
})

t.test('reports take turns, and prefer what the tunnel measured', async t => {
  const { links, tunnel, said } = parts(t)
  for (const link of [LINK, LINK + 1, LINK + 2]) links.hear(pathOpen(link))
  await links.idle()
  said.length = 0
  tunnel.metrics = () => ({ rttMs: 12, sentBytes: 1, receivedBytes: 2, lastReceivedMs: 3 })
  for (const turn of [1, 2, 3]) {
    links.report(turn, 3)
    t.equal(said.length, turn)
  }
  t.match(said[0], { type: 'path.report', rttMs: 12, sentBytes: 1, receivedBytes: 2, lastReceivedMs: 3 })
  t.equal(new Set(said.map(event => 'link' in event && event.link)).size, 3)
})

t.test('a path is settled by the coordinator, or was before the session came to stand', async t => {
  const { links, told } = parts(t)
  links.keep([LINK])
  links.hear(pathOpen(LINK))
  links.hear(pathOpen(LINK + 1))
  await links.idle()
  t.same(told, [`opened ${LINK}`, `settled ${LINK} relayed`, `opened ${LINK + 1}`])
  links.hear({ type: 'path.settled', link: LINK + 1, tier: 'direct' })
  t.equal(links.get(LINK + 1)?.state, 'direct')
  links.hear({ type: 'path.settled', link: LINK + 7, tier: 'direct' })
  t.equal(told.length, 4)
})

t.test('a tunnel that fails at closing is told of, and forgotten', async t => {
  const { links, tunnel, told } = parts(t)
  links.hear(pathOpen(LINK))
  await links.idle()
  tunnel.fails = 'busy'
  links.closeAll('the agent stops')
  await links.idle()
  t.same(told, [`opened ${LINK}`, `closed ${LINK} the agent stops`, 'failed busy'])
})

/** Everything that waits for nothing has happened. */
const turn = () => new Promise(resolve => setImmediate(resolve))

function parts(t: Test) {
  const clock = new SimulatedClock()
  const counters = newCounters()
  const tunnel = new NotebookTunnel()
  const said: Wire[] = []
  const told: string[] = []
  const links = new Links({
    clock,
    tunnel,
    counters,
    send: event => said.push(event),
    relay: () => true,
    events: {
      opened: link => told.push(`opened ${link}`),
      settled: ({ link, tier }) => told.push(`settled ${link} ${tier}`),
      closed: (link, _, reason) => told.push(`closed ${link} ${reason}`),
      pressed: ({ link, dropped }) => told.push(`pressed ${link} ${dropped}`),
      failed: error => told.push(`failed ${(error as Error).message}`),
    },
  })
  t.teardown(() => links.closeAll('end of test'))
  return { clock, counters, tunnel, links, said, told }
}
