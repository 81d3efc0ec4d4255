import t from 'tap'
import { ShortQueue } from '../../src/lanes/short-queue.js'

const text = (queue: ShortQueue): string => {
  const packet = queue.shift()
  return packet === null
    ? ''
    : `${packet.link}:${Buffer.from(packet.bytes.subarray(0, packet.size)).toString()}@${packet.sinceMs}`
}
const put = (queue: ShortQueue, link: number, word: string, sinceMs = 0): void =>
  queue.push(link, Buffer.from(`__${word}__`), 2, 2 + word.length, sinceMs)

t.test('packets leave in the order they came, with their link and time', async t => {
  const queue = new ShortQueue(3)
  put(queue, 1, 'a', 5)
  put(queue, 2, 'bc', 6)
  t.same([text(queue), text(queue), text(queue)], ['1:a@5', '2:bc@6', ''])
})

t.test('a place is used again, for smaller and for larger packets', async t => {
  const queue = new ShortQueue(2)
  for (const word of ['first', 'x', 'y'.repeat(9_000), 'z', '']) {
    if (queue.full) queue.shift()
    put(queue, 7, word)
  }
  t.same([text(queue), text(queue)], ['7:z@0', '7:@0'])
})

t.test('it is full at its limit, and empty when it is cleared', async t => {
  const queue = new ShortQueue(2)
  put(queue, 1, 'a')
  t.equal(queue.full, false)
  put(queue, 1, 'b')
  t.equal(queue.full, true)
  queue.clear()
  t.same([queue.length, queue.oldest()], [0, null])
})
