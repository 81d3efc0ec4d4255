import t from 'tap'
import type { Socket } from '../../src/actors/ports.js'
import { RelayLane, type RelayLaneOptions } from '../../src/lanes/relay-lane.js'
import { RelayTable } from '../../src/lanes/relay-table.js'
import { encode } from '../../src/protocol/codec.js'
import { SENT, type SendResult } from '../../src/protocol/sent.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const A = 0
const B = 1
const C = 2

/** A socket that remembers its messages and takes no more while `full`. */
class TestSocket implements Socket {
  readonly remote = 'test'
  readonly messages: Buffer[] = []
  full = false
  closedWith: number | null = null
  send(bytes: Uint8Array): SendResult {
    this.messages.push(Buffer.from(bytes))
    return SENT.ok
  }
  buffered() {
    return this.full ? 1_000_000 : 0
  }
  close(code: number) {
    this.closedWith = code
  }
}

function setUp(options: Partial<RelayLaneOptions> = {}) {
  const clock = new SimulatedClock()
  const table = new RelayTable()
  const notices: string[] = []
  const lane = new RelayLane(
    clock,
    table,
    { mbpsPerIdentity: 0, payload: 'any', queuePackets: 4, queueMs: 200, ...options },
    {
      gone: (slot, link, reason) => notices.push(`${slot} ${link}: ${reason}`),
      pressure: (slot, link, dropped) => notices.push(`${slot} ${link}: ${dropped} dropped`),
      stuck: slot => notices.push(`${slot} is stuck`),
    },
  )
  const sockets = [A, B, C].map(slot => {
    const socket = new TestSocket()
    lane.attach(slot, socket)
    return socket
  }) as [TestSocket, TestSocket, TestSocket]
  const link = table.join(A, B)
  table.carry(link, true)
  return { clock, table, lane, notices, sockets, link }
}

const frame = (link: number, text: string) => encode({ type: 'relay.data', link, payload: Buffer.from(text) })
const bundle = (link: number, ...texts: string[]) => Buffer.concat(texts.map(text => frame(link, text)))

t.test('what one turn brings for a destination leaves as one message', async t => {
  const { clock, lane, sockets, link, table } = setUp()
  const other = table.join(C, B)
  table.carry(other, true)
  lane.forward(A, bundle(link, 'a', 'b'), 0)
  lane.forward(C, bundle(other, 'c'), 0)
  t.same(sockets[B].messages, [], 'nothing is sent inside a handler')
  clock.advance(0)
  t.same(sockets[B].messages, [Buffer.concat([bundle(link, 'a', 'b'), bundle(other, 'c')])])
  t.equal(lane.packets, 3)
})

t.test('links of several destinations in one message are told apart', async t => {
  const { clock, lane, sockets, link, table } = setUp()
  const other = table.join(A, C)
  table.carry(other, true)
  lane.forward(A, Buffer.concat([frame(link, 'b1'), frame(other, 'c1'), frame(link, 'b2')]), 0)
  clock.advance(0)
  t.same(sockets[B].messages, [bundle(link, 'b1', 'b2')])
  t.same(sockets[C].messages, [bundle(other, 'c1')])
})

t.test('the lane ends where something else begins, and refuses a relay value of another shape', async t => {
  const { lane, link } = setUp()
  const packets = bundle(link, 'a', 'b')
  t.equal(lane.forward(A, packets, 0), packets.length)
  t.equal(lane.forward(A, Buffer.concat([packets, encode({ type: 'renew' })]), 0), packets.length)
  t.equal(lane.forward(A, packets.subarray(0, -1), 0), -1)
  t.equal(lane.forward(A, Buffer.from('9340cd0001c401ff', 'hex'), 0), -1)
})

t.test('more than a bundle holds leaves in several', async t => {
  const { clock, lane, sockets, link } = setUp()
  for (let i = 0; i < 20; i++) lane.forward(A, frame(link, 'x'.repeat(8_000)), 0)
  clock.advance(0)
  t.equal(sockets[B].messages.length, 3)
  t.equal(Buffer.concat(sockets[B].messages).length, 20 * 8_010)
})

t.test('a full bundle leaves at once, and everything when much is gathered', async t => {
  const { clock, lane, sockets, link, table } = setUp()
  const other = table.join(A, C)
  table.carry(other, true)
  lane.forward(A, frame(other, 'c'), 0)
  for (let i = 0; i < 9; i++) lane.forward(A, frame(link, 'x'.repeat(8_000)), 0)
  t.equal(sockets[B].messages.length, 1)
  t.equal(sockets[C].messages.length, 0)
  for (let i = 9; i < 33; i++) lane.forward(A, frame(link, 'x'.repeat(8_000)), 0)
  t.equal(sockets[C].messages.length, 1)
  clock.advance(0)
  t.equal(Buffer.concat(sockets[B].messages).length, 33 * 8_010)
})

t.test('what was gathered leaves before its turn is over, if that turn drags on', async t => {
  const { clock, lane, sockets, link } = setUp()
  lane.hasten()
  clock.soon = () => {} // this turn does not end
  lane.forward(A, frame(link, 'a'), 0)
  clock.advance(0.5)
  lane.hasten()
  t.same(sockets[B].messages, [], 'others may still join it')
  lane.forward(A, frame(link, 'b'), 0)
  clock.advance(0.5)
  lane.hasten()
  t.same(sockets[B].messages, [bundle(link, 'a', 'b')])
  lane.forward(A, frame(link, 'c'), 0)
  lane.hasten()
  t.equal(sockets[B].messages.length, 1, 'the next have their time too')
})

t.test('a session that ends while its socket is asked to send mixes up nobody’s packets', async t => {
  const { clock, lane, sockets, link, table } = setUp()
  const [toC, toA] = [table.join(A, C), table.join(C, A)]
  for (const each of [toC, toA]) table.carry(each, true)
  sockets[B].send = () => {
    lane.detach(B)
    return SENT.dropped
  }
  lane.forward(A, frame(link, 'b'), 0)
  clock.advance(0)
  lane.forward(A, frame(toC, 'c'), 0)
  lane.forward(C, frame(toA, 'a'), 0)
  clock.advance(0)
  t.same(sockets[C].messages, [frame(toC, 'c')])
  t.same(sockets[A].messages, [frame(toA, 'a')])
})

t.test('a socket that takes no more keeps the newest few; they leave when it drains', async t => {
  const { clock, lane, sockets, link, notices } = setUp()
  sockets[B].full = true
  lane.forward(A, bundle(link, '0', '1', '2', '3', '4', '5'), 0)
  clock.advance(0)
  lane.forward(A, bundle(link, '6'), 0)
  t.equal(lane.drops.queue_full, 3)
  sockets[B].full = false
  lane.drained(B)
  t.same(sockets[B].messages, [bundle(link, '3', '4', '5', '6')])
  clock.advance(1_000)
  t.same(notices, [`0 ${link}: 3 dropped`])
})

t.test('a socket that stalls again half-way keeps the rest in order', async t => {
  const { clock, lane, sockets, link } = setUp({ queuePackets: 20, queueMs: 10_000 })
  const [, to] = sockets
  to.full = true
  const packets = Array.from({ length: 15 }, (_, i) => frame(link, String(i).padStart(2, '0').repeat(4_000)))
  for (const packet of packets) lane.forward(A, packet, 0)
  clock.advance(0)
  const send = to.send.bind(to)
  to.full = false
  to.send = bytes => {
    to.full = true
    return send(bytes)
  }
  lane.drained(B)
  t.equal(to.messages.length, 1, 'one bundle, then the socket had enough')
  for (let i = 0; i < 2; i++) {
    to.full = false
    lane.drained(B)
  }
  t.same(Buffer.concat(to.messages), Buffer.concat(packets))
  t.equal(lane.drops.queue_full, 0)
})

t.test('nothing waits longer than it is worth', async t => {
  const { clock, lane, sockets, link } = setUp()
  sockets[B].full = true
  lane.forward(A, bundle(link, '0', '1'), 0)
  clock.advance(300)
  t.equal(lane.drops.queue_age, 2)
  sockets[B].full = false
  clock.advance(100)
  t.same(sockets[B].messages, [])
})

t.test('a reader that takes nothing for long is given up', async t => {
  const { clock, lane, sockets, link, notices } = setUp()
  sockets[B].full = true
  lane.forward(A, bundle(link, '0'), 0)
  clock.advance(31_000)
  t.ok(notices.includes('1 is stuck'))
})

t.test('a sender above its rate loses what is above it, and is told', async t => {
  const { clock, lane, sockets, link, notices } = setUp({ mbpsPerIdentity: 1 })
  const kilobyte = 'x'.repeat(1_000)
  for (let i = 0; i < 100; i++) lane.forward(A, frame(link, kilobyte), 0)
  clock.advance(0)
  t.equal(lane.drops.over_rate, 36, 'a burst of 64 KiB passes')
  clock.advance(1_000)
  t.same(notices, [`0 ${link}: 36 dropped`])
  lane.forward(A, frame(link, kilobyte), 0)
  clock.advance(0)
  t.equal(sockets[B].messages.length, 2)
})

t.test(
  'what a throttled session sends and is sent is held to the rate, each way, and no other is',
  async t => {
    const { clock, table, lane, sockets, notices, link } = setUp()
    const free = table.join(C, B)
    table.carry(free, true)
    lane.throttle(B, 1_000)
    const tenth = 'x'.repeat(91)
    for (let i = 0; i < 300; i++) {
      lane.forward(A, bundle(link, tenth, tenth), 0)
      lane.forward(B, bundle(link, tenth, tenth), 0)
      clock.advance(100)
    }
    const bytesTo = (slot: number) => sockets[slot]?.messages.reduce((sum, { length }) => sum + length, 0)
    t.same([bytesTo(A), bytesTo(B)], [29_900, 29_900], 'thirty seconds of it')
    t.equal(lane.drops.throttled, 1_200 - 598)
    t.match(notices, [/^0 \d+: 1\d dropped$/])
    lane.throttle(B, null)
    lane.forward(C, bundle(free, ...Array.from({ length: 100 }, () => tenth)), 0)
    clock.advance(0)
    t.equal(bytesTo(B), 39_900)
  },
)

t.test(
  'handshakes and keepalives pass where data has used up the rate, and start a session that is new',
  async t => {
    const { clock, lane, sockets, link } = setUp()
    const wireguard = (type: number, size: number) =>
      encode({ type: 'relay.data', link, payload: Buffer.alloc(size, Buffer.of(type, 0, 0, 0)) })
    lane.throttle(A, 1_000)
    for (const packet of [wireguard(1, 148), wireguard(4, 1_280)]) lane.forward(A, packet, 0)
    clock.advance(0)
    t.equal(lane.drops.throttled, 1, 'data waits until something has flowed in')
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 10; i++) lane.forward(A, wireguard(4, 1_280), 0)
      lane.forward(A, wireguard(1, 148), 0)
      lane.forward(A, wireguard(4, 32), 0)
      clock.advance(1_000)
    }
    const sizes = sockets[B].messages.flatMap(message => message.length)
    t.ok(sizes.reduce((sum, size) => sum + size, 0) <= 60_000 + 2_048)
    t.equal(lane.drops.throttled, 1 + 600 - Math.round(sizes.filter(size => size > 1_000).length))
  },
)

t.test('a rate ends with its session', async t => {
  const { clock, lane, sockets, link } = setUp()
  lane.throttle(A, 0)
  lane.forward(A, frame(link, 'x'.repeat(1_000)), 0)
  lane.forget(A)
  lane.forward(A, frame(link, 'x'.repeat(1_000)), 0)
  clock.advance(0)
  t.equal(sockets[B].messages.length, 1)
})

const refusals: readonly {
  name: string
  drop: string
  notice?: string
  arrange: (s: ReturnType<typeof setUp>) => number
}[] = [
  {
    name: 'a link that is not there',
    drop: 'no_such_link',
    notice: 'no_such_link',
    arrange: s => s.link + 1,
  },
  { name: 'a link of others', drop: 'not_your_link', arrange: ({ table }) => table.join(B, C) },
  { name: 'a link that is not open yet', drop: 'not_open', arrange: ({ table }) => table.join(A, C) },
  {
    name: 'a link that was closed',
    drop: 'no_such_link',
    notice: 'no_such_link',
    arrange: ({ table, link }) => (table.remove(link), link),
  },
  {
    name: 'a peer that is away',
    drop: 'peer_away',
    notice: 'peer_away',
    arrange: ({ lane, link }) => (lane.detach(B), link),
  },
]
for (const { name, drop, notice, arrange } of refusals) {
  t.test(`packets for ${name} are dropped as ${drop}`, async t => {
    const lab = setUp()
    const link = arrange(lab)
    lab.lane.forward(A, bundle(link, 'a', 'b'), 0)
    lab.clock.advance(1_000)
    t.match(lab.lane.drops, { [drop]: 2 })
    t.same(lab.notices, notice === undefined ? [] : [`0 ${link}: ${notice}`])
    t.same(lab.sockets[B].messages, [])
  })
}

t.test('a socket that throws costs nobody else a packet', async t => {
  const { clock, lane, sockets, link, table } = setUp()
  const other = table.join(A, C)
  table.carry(other, true)
  sockets[B].send = () => {
    throw new Error('closed')
  }
  lane.forward(A, Buffer.concat([frame(link, 'b'), frame(other, 'c')]), 0)
  clock.advance(0)
  t.same(sockets[C].messages, [bundle(other, 'c')])
  t.equal(lane.drops.socket_refused, 1)
})

t.test('WireGuard’s messages pass, other payloads do not, when only WireGuard is carried', async t => {
  const { clock, lane, sockets, link } = setUp({ payload: 'wireguard' })
  const good = Buffer.alloc(32)
  good[0] = 4
  const short = good.subarray(0, 31)
  const bad = Buffer.from(good)
  bad[1] = 1
  for (const payload of [good, short, bad, good]) {
    lane.forward(A, encode({ type: 'relay.data', link, payload }), 0)
  }
  clock.advance(0)
  t.equal(sockets[B].messages.length, 1)
  t.match(lane.drops, { not_wireguard: 2 })
})
