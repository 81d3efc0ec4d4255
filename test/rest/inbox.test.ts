/** Packets that wait to be fetched: in order, each once, the newest few, and never more than there is room for. */
import t from 'tap'
import { Inbox, Postroom } from '../../src/rest/packets/inbox.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const bytes = (size: number, mark = 0) => new Uint8Array(size).fill(mark)

t.test('packets are given in the order they came, each once, so many at a time', async t => {
  const inbox = new Inbox(new SimulatedClock(), new Postroom())
  for (const mark of [1, 2, 3]) inbox.put(mark, bytes(10, mark))
  t.match(await inbox.fetch(2, 0), { packets: [{ link: 1 }, { link: 2 }], more: true, dropped: 0 })
  t.match(await inbox.fetch(2, 0), { packets: [{ link: 3, payload: bytes(10, 3) }], more: false })
  t.same((await inbox.fetch(2, 0)).packets, [])
})

t.test('what is lent may be used again by its owner', async t => {
  const inbox = new Inbox(new SimulatedClock(), new Postroom())
  const lent = bytes(10, 1)
  inbox.put(1, lent)
  lent.fill(9)
  t.same((await inbox.fetch(1, 0)).packets[0]?.payload, bytes(10, 1))
})

t.test('a look waits for the first packet, for so long and no longer', async t => {
  const clock = new SimulatedClock()
  const inbox = new Inbox(clock, new Postroom())
  const first = inbox.fetch(9, 1_000)
  await clock.run(400)
  inbox.put(7, bytes(1))
  t.match((await first).packets, [{ link: 7 }])
  const second = inbox.fetch(9, 1_000)
  await clock.run(1_001)
  t.same((await second).packets, [])
})

t.test('a new look ends the one that waits', async t => {
  const clock = new SimulatedClock()
  const inbox = new Inbox(clock, new Postroom())
  const [old, young] = [inbox.fetch(9, 1_000), inbox.fetch(9, 1_000)]
  t.same((await old).packets, [])
  inbox.put(7, bytes(1))
  t.match((await young).packets, [{ link: 7 }])
})

t.test('the oldest packets make room, and so do stale ones', async t => {
  const clock = new SimulatedClock()
  const room = new Postroom()
  const inbox = new Inbox(clock, room)
  for (let i = 0; i < 20; i++) inbox.put(i, bytes(8_192))
  const { packets, dropped } = await inbox.fetch(64, 0)
  t.equal(dropped, 4)
  t.equal(packets.length, 16)
  t.equal(packets[0]?.link, 4)
  t.equal(room.bytes, 0)
  inbox.put(1, bytes(10))
  await clock.run(6_000)
  t.match(await inbox.fetch(64, 0), { packets: [], dropped: 1 })
  t.equal(room.dropped, 5)
})

t.test('agents that never look cannot fill the memory', async t => {
  const room = new Postroom()
  const clock = new SimulatedClock()
  for (let agent = 0; agent < 600; agent++) {
    const inbox = new Inbox(clock, room)
    for (let i = 0; i < 20; i++) inbox.put(i, bytes(8_192))
  }
  t.ok(room.bytes <= 64 * 1024 * 1024, `${room.bytes} bytes`)
  const late = new Inbox(clock, room)
  late.put(1, bytes(8_192))
  t.match(await late.fetch(1, 0), { packets: [], dropped: 1 })
})

t.test('an inbox that is closed gives its room back, and lets go of who waits', async t => {
  const room = new Postroom()
  const inbox = new Inbox(new SimulatedClock(), room)
  const waiting = inbox.fetch(1, 1_000)
  inbox.close()
  t.same((await waiting).packets, [])
  inbox.put(1, bytes(100))
  inbox.close()
  t.equal(room.bytes, 0)
})
