/** What a node reports by itself. */
import t from 'tap'
import type { Gauges, Peer } from '../../../src/agent/ports.js'
import type { LinkMetrics } from '../../../src/agent/link.js'
import { observe, type ObserverOptions } from '../../../src/agent/reports/observer.js'
import { SimulatedClock } from '../../support/simulated-clock.js'

const PEER = { peerId: 'anna', peerOverlay4: '10.77.0.9/32' } as Peer // all that is looked at

function begin() {
  const clock = new SimulatedClock()
  const reported: unknown[][] = []
  const listeners = new Map<string, (event: never) => void>()
  const links = new Map<number, LinkMetrics>()
  let gauges: ReturnType<Gauges> = {}
  const node = {
    id: 'fra-1',
    on: (type: string, listener: (event: never) => void) => {
      listeners.set(type, listener)
      return () => listeners.delete(type)
    },
    status: () => ({ links: [...links.keys()].map(link => ({ link })), rttMs: 9 }),
    linkMetrics: (link: number) => links.get(link) ?? null,
    reports: {
      client: (seen: unknown) => reported.push(['client', seen]),
      traffic: (...said: unknown[]) => reported.push(['traffic', ...said]),
      log: (said: unknown) => reported.push(['log', said]),
    },
  } as unknown as ObserverOptions['node'] // what an observer asks of a node
  const stop = observe({ node, clock, gauges: () => gauges })
  return {
    clock,
    stop,
    tell: (type: string, event: unknown) => listeners.get(type)?.(event as never),
    carried: (link: number, receivedBytes: number, sentBytes: number) =>
      links.set(link, { receivedBytes, sentBytes, rttMs: 12 } as LinkMetrics), // what is read
    slow: (link: number) => links.set(link, { receivedBytes: 0, sentBytes: 0, rttMs: 6_000 } as LinkMetrics), // what is read
    busy: (now: ReturnType<Gauges>) => {
      gauges = now
    },
    of: (kind: string) => reported.filter(([what]) => what === kind).map(([, ...rest]) => rest),
  }
}

t.test('a client is reported when it comes, and every five minutes while it does something', async t => {
  const { clock, tell, carried, of } = begin()
  tell('link', { link: 7, peer: PEER })
  t.same(of('client'), [[{ ip: '10.77.0.9' }]])
  for (let minute = 1; minute <= 11; minute++) {
    carried(7, minute * 100, minute * 10)
    clock.advance(60_000)
  }
  t.equal(of('client').length, 3)
  clock.advance(600_000)
  t.equal(of('client').length, 3, 'one that rests is not')
})

t.test('what it carried since the last look is the node’s traffic, to the last byte', async t => {
  const { clock, tell, carried, of, stop } = begin()
  tell('link', { link: 7, peer: PEER })
  carried(7, 1_000, 10)
  clock.advance(60_000)
  carried(7, 1_500, 30)
  clock.advance(30_000)
  stop()
  t.same(of('traffic'), [
    ['proxy', 'fra-1', { inboundBytes: 1_000, outboundBytes: 10, requests: 1, responseTimeMs: 12 }],
    ['proxy', 'fra-1', { inboundBytes: 500, outboundBytes: 20, requests: 1, responseTimeMs: 12 }],
  ])
})

t.test('a busy machine is a warning, not one a minute', async t => {
  const { clock, busy, of } = begin()
  busy({ cpuTotalPct: 95, memTotalMb: 1_000, memFreeMb: 500 })
  const warnings = () => of('log').filter(([said]) => (said as { level: string }).level === 'warning')
  clock.advance(300_000)
  t.match(warnings(), [[{ level: 'warning', message: 'CPU above 80 %', metadata: { pct: 95 } }]])
  clock.advance(600_000)
  t.equal(warnings().length, 2)
})

t.test(
  'its events are lines: connections for information, lost contact as warnings, failures as errors',
  async t => {
    const { tell, of } = begin()
    tell('online', { resumed: false })
    tell('link', { link: 7, peer: PEER })
    tell('linkClosed', { link: 7, peer: PEER, reason: 'the client released the route' })
    tell('offline', { reason: 'the socket was closed', retryInMs: 10 })
    tell('fault', { what: 'tunnel', error: new Error('wg: not permitted') })
    tell('fault', { what: 'reports', error: new Error('no room') })
    t.same(
      of('log').map(([said]) => (said as { level: string }).level),
      ['info', 'info', 'info', 'warning', 'error'],
    )
  },
)
