import t from 'tap'
import { RelayTable } from '../../src/lanes/relay-table.js'
import { FIRST_LINK } from '../../src/protocol/relay-frame.js'

t.test('a link joins two sessions and nobody else', async t => {
  const table = new RelayTable()
  const link = table.join(3, 7)
  const index = table.indexOf(link)
  t.ok(link >= FIRST_LINK)
  t.same([table.otherEnd(index, 3), table.otherEnd(index, 7), table.otherEnd(index, 4)], [7, 3, -1])
  t.equal(table.indexOf(link + 1), -1)
})

t.test('a link carries only when it is told to', async t => {
  const table = new RelayTable()
  const link = table.join(1, 2)
  t.equal(table.carries(table.indexOf(link)), false)
  table.carry(link, true)
  t.equal(table.carries(table.indexOf(link)), true)
})

t.test('the id of a removed link never finds its successor', async t => {
  const table = new RelayTable()
  const first = table.join(1, 2)
  table.remove(first)
  const second = table.join(1, 2)
  t.not(first, second)
  t.equal(table.indexOf(first), -1)
  t.equal(table.size, 1)
})

t.test('ids are used again as late as possible', async t => {
  const table = new RelayTable()
  const links = [table.join(1, 2), table.join(1, 3), table.join(1, 4)]
  for (const link of links) table.remove(link)
  const again = [table.join(1, 2), table.join(1, 3), table.join(1, 4)]
  t.same(
    again.map(link => (link - FIRST_LINK) % 2 ** 20),
    links.map(link => link - FIRST_LINK),
  )
})

t.test('a link of an earlier process is restored once, and new ids keep away from it', async t => {
  const old = new RelayTable()
  for (let i = 0; i < 5; i++) old.remove(old.join(1, 2))
  const links = [old.join(1, 2), old.join(3, 4), old.join(5, 6)]
  const table = new RelayTable()
  for (const [i, link] of links.entries()) t.equal(table.restore(link, 2 * i, 2 * i + 1), true)
  t.equal(table.restore(links[0] as number, 8, 9), false)
  t.equal(table.restore(5, 1, 2), false)
  const fresh = Array.from({ length: 2_000 }, () => table.join(1, 2))
  t.equal(new Set([...fresh, ...links]).size, 2_003)
  for (const link of links) t.ok(table.indexOf(link) >= 0)
})

t.test('traffic is counted each way', async t => {
  const table = new RelayTable()
  const link = table.join(1, 2)
  table.count(table.indexOf(link), 1, 2, 100)
  table.count(table.indexOf(link), 2, 1, 40)
  t.same(table.traffic(link), { bytes: [100, 40], packets: [2, 1] })
  table.remove(link)
  t.equal(table.traffic(link), null)
})

t.test('the table grows with the links', async t => {
  const table = new RelayTable()
  const links = Array.from({ length: 5_000 }, (_, i) => table.join(i, i + 1))
  t.ok(links.every((link, i) => table.otherEnd(table.indexOf(link), i) === i + 1))
})
