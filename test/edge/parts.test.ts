/** The parts of the edge that need no socket. */
import t from 'tap'
import { mayOpen } from '../../src/edge/channel.js'
import { Allowances } from '../../src/edge/allowances.js'
import { bearers, recogniser } from '../../src/edge/bearer.js'
import { Remotes } from '../../src/edge/remote.js'
import { allowanceKey } from '../../src/http/allowance-key.js'
import type { Caller } from '../../src/http/caller.js'
import { type Route, Router } from '../../src/http/router.js'
import { text } from '../../src/http/reply.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('who is on the other end', async t => {
  const v4 = (address: string) => Uint8Array.from(address.split('.').map(Number))
  const mapped = (address: string) =>
    Uint8Array.from([...Array.from({ length: 10 }, () => 0), 255, 255, ...v4(address)])
  const v6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  const trusting = new Remotes(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'])
  const table: readonly (readonly [string, Uint8Array, string, string, boolean])[] = [
    ['a plain address', v4('203.0.113.9'), '', '203.0.113.9', false],
    ['IPv4 in IPv6 clothes', mapped('203.0.113.9'), '', '203.0.113.9', false],
    ['this machine', v4('127.0.0.1'), '', '127.0.0.1', true],
    ['this machine, in IPv6 clothes', mapped('127.0.0.1'), '', '127.0.0.1', true],
    ['IPv6', v6, '', '2001:db8::1', false],
    ['a header from a stranger', v4('203.0.113.9'), '198.51.100.1', '203.0.113.9', false],
    ['a header from an unknown proxy here', v4('127.0.0.1'), '198.51.100.1', '127.0.0.1', false],
    ['a trusted proxy', v4('10.1.2.3'), '198.51.100.1', '198.51.100.1', false],
    ['a trusted address', v4('192.0.2.7'), '198.51.100.1', '198.51.100.1', false],
    ['the neighbour of a trusted address', v4('192.0.2.8'), '198.51.100.1', '192.0.2.8', false],
    ['two proxies of ours', v4('10.1.2.3'), '198.51.100.1, 10.9.9.9', '198.51.100.1', false],
    ['what the caller wrote himself', v4('10.1.2.3'), '127.0.0.1, 198.51.100.1', '198.51.100.1', false],
    ['a claim to be this machine', v4('10.1.2.3'), '127.0.0.1', '127.0.0.1', false],
    ['nonsense', v4('10.1.2.3'), 'nonsense', '10.1.2.3', false],
    ['nonsense before an address', v4('10.1.2.3'), 'x, 198.51.100.1', '198.51.100.1', false],
    ['IPv6 behind a proxy', v6, '2001:db9::5', '2001:db9::5', false],
  ]
  for (const [name, peer, header, address, local] of table)
    t.same(trusting.of(peer, header), { address, local }, name)
})

t.test('one IPv6 subscriber is one address', async t => {
  t.equal(allowanceKey('2001:db8:1:2:3:4:5:6'), allowanceKey('2001:db8:1:2::9'))
  t.not(allowanceKey('2001:db8:1:2::9'), allowanceKey('2001:db8:1:3::9'))
  t.equal(allowanceKey('203.0.113.9'), '203.0.113.9')
})

t.test('an allowance refills with time, and belongs to one address', async t => {
  const clock = new SimulatedClock()
  const allowances = new Allowances(clock, 60)
  const taken = Array.from({ length: 25 }, () => allowances.take('203.0.113.9'))
  t.equal(taken.filter(wait => wait === 0).length, 20)
  t.equal(taken.at(-1), 1)
  t.equal(allowances.take('203.0.113.10'), 0)
  clock.advance(1_000)
  t.equal(allowances.take('203.0.113.9'), 0)
  t.equal(allowances.take('203.0.113.9'), 1)
})

t.test('however many addresses ask, a bounded number is remembered', async t => {
  const clock = new SimulatedClock()
  const allowances = new Allowances(clock, 3)
  t.equal(allowances.take('203.0.113.9'), 0)
  t.ok(allowances.take('203.0.113.9') > 0)
  for (let i = 0; i < 10_000; i++) allowances.take(`10.0.${i >> 8}.${i & 255}`)
  t.equal(allowances.take('203.0.113.9'), 0, 'the one not seen for longest was forgotten')
})

t.test('bearer tokens', async t => {
  const recognise = recogniser(bearers('right'))
  for (const header of ['Bearer right', 'bearer right', 'BEARER   right'])
    t.match(recognise(header), { kind: 'operator' }, header)
  for (const header of [undefined, '', 'right', 'Bearer', 'Bearer wrong', 'Bearer right x', 'Basic right'])
    t.match(recognise(header), { kind: 'stranger' }, String(header))
})

t.test('a token is asked of each that issues some, at once or later, until one knows it', async t => {
  const agent = (id: string): Caller => ({ kind: 'agent', id, role: 'node' })
  const recognise = bearers(
    'right',
    token => (token === 'first' ? agent('a') : null),
    async token => (token === 'second' ? agent('b') : null),
    token => (token === 'third' ? agent('c') : null),
  )
  t.match(recognise('right'), { kind: 'operator', role: 'admin' })
  t.same(recognise('first'), agent('a'))
  t.same(await recognise('second'), agent('b'))
  t.same(await recognise('third'), agent('c'))
  t.same(await recognise('none'), { kind: 'stranger', bearer: 'none' })
})

t.test('which route a path has', async t => {
  const route = (method: Route['method'], path: string): Route => ({
    method,
    path,
    access: 'open',
    handle: () => text(path),
  })
  const router = new Router([
    route('GET', '/things'),
    route('POST', '/things'),
    route('GET', '/things/{id}'),
    route('DELETE', '/things/{id}'),
    route('GET', '/things/{id}/parts/{part}'),
    route('GET', '/things/newest'),
  ])
  const at = (method: string, path: string) => {
    const match = router.match(method, path)
    return match.route === null ? match.allowed : [match.route.path, match.params]
  }
  t.same(at('GET', '/things'), ['/things', {}])
  t.same(at('HEAD', '/things/7'), ['/things/{id}', { id: '7' }])
  t.same(at('GET', '/things/a%2Fb/parts/%C3%BC'), ['/things/{id}/parts/{part}', { id: 'a/b', part: 'ü' }])
  t.same(at('PUT', '/things'), ['GET', 'HEAD', 'POST'])
  t.same(at('GET', '/things/newest'), ['/things/newest', {}], 'a name goes before braces')
  t.same(at('DELETE', '/things/newest'), ['/things/{id}', { id: 'newest' }])
  for (const path of ['/', '/thing', '/things/', '/things/7/', '/things/%zz', '//things'])
    t.same(at('GET', path), [], path)
})

t.test(
  'a web page may open a channel when its origin is listed, or is our own where that is enough',
  async t => {
    const origins = new Set(['https://panel.example'])
    const pages = { origins, own: true, setting: 'X' }
    const cases: readonly (readonly [origin: string, host: string, may: boolean])[] = [
      ['https://panel.example', 'mesh.example:3000', true],
      ['http://mesh.example:3000', 'mesh.example:3000', true],
      ['https://mesh.example', 'mesh.example', true],
      ['https://mesh.example', 'mesh.example:443', true],
      ['http://mesh.example', 'mesh.example:80', true],
      ['http://[::1]:3000', '[::1]:3000', true],
      ['http://mesh.example:3001', 'mesh.example:3000', false],
      ['https://evil.example', 'mesh.example', false],
      ['https://mesh.example.evil.example', 'mesh.example', false],
      ['https://evil.example', 'mesh.example@evil.example', false],
      ['null', 'mesh.example', false],
      ['null', '', false],
      ['http://', '', false],
      ['file://mesh.example', 'mesh.example', false],
      ['not an origin', 'mesh.example', false],
    ]
    for (const [origin, host, may] of cases)
      t.equal(mayOpen(pages, origin, host), may, `${origin} at ${host}`)
    t.notOk(mayOpen({ ...pages, own: false }, 'http://mesh.example', 'mesh.example'))
  },
)
