import t from 'tap'
import { decode, decodeAll, encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import {
  FIRST_LINK,
  isRelayData,
  LINKS_PER_SESSION_MAX,
  RELAY_HEADER_MAX,
  RELAY_PAYLOAD_MAX,
  relayEnd,
  relayLink,
  relayPayload,
  relaySize,
  writeRelay,
} from '../../src/protocol/relay-frame.js'
import { MESSAGE_MAX } from '../../src/protocol/timing.js'
import { bytesOf, hex } from './bytes.js'

const SIZES = [0, 1, 2, 31, 120, 254, 255, 256, 257, 1_300, 1_500, RELAY_PAYLOAD_MAX]
const LINKS = [FIRST_LINK, FIRST_LINK + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
const payloadOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff)

t.test('the lane and the codec write the same bytes', async t => {
  for (const size of SIZES) {
    for (const link of LINKS) {
      const payload = payloadOf(size)
      const out = new Uint8Array(relaySize(size))
      t.equal(writeRelay(out, 0, link, payload), out.length)
      t.equal(hex(out), hex(encode({ type: 'relay.data', link, payload })), `${size} bytes on ${link}`)
    }
  }
})

t.test('the lane and the codec read the same packet', async t => {
  for (const size of SIZES) {
    for (const link of LINKS) {
      const frame = Uint8Array.from(encode({ type: 'relay.data', link, payload: payloadOf(size) }))
      t.ok(isRelayData(frame))
      t.equal(relayEnd(frame, 0), frame.length)
      t.equal(relayLink(frame, 0), link)
      t.same(decode(frame), { type: 'relay.data', link, payload: frame.slice(relayPayload(frame, 0)) })
    }
  }
})

t.test('a frame cut short is not a frame', async t => {
  for (const size of [0, 1, 255, 256, 1_300]) {
    const frame = encode({ type: 'relay.data', link: FIRST_LINK, payload: payloadOf(size) })
    for (let cut = 0; cut < Math.min(frame.length, 12); cut++) {
      t.equal(relayEnd(frame.subarray(0, cut), 0), -1, `${size} bytes, first ${cut}`)
      t.equal(
        relayEnd(frame.subarray(0, frame.length - 1 - cut), 0),
        -1,
        `${size} bytes without the last ${cut + 1}`,
      )
    }
  }
})

t.test('the header is never longer than it says', async t => {
  for (const size of SIZES) t.ok(relaySize(size) - size <= RELAY_HEADER_MAX)
})

t.test('frames in a bundle follow one another, and other values between them are told apart', async t => {
  const parts = [
    encode({ type: 'relay.data', link: FIRST_LINK, payload: payloadOf(300) }),
    encode({ type: 'path.ready', link: FIRST_LINK }),
    encode({ type: 'relay.data', link: FIRST_LINK + 1, payload: payloadOf(0) }),
  ]
  const bundle = Uint8Array.from(Buffer.concat(parts))
  const first = relayEnd(bundle, 0)
  t.equal(first, parts[0]?.length)
  t.notOk(isRelayData(bundle, first))
  t.equal(relayEnd(bundle, first), -1)
  const third = first + (parts[1]?.length ?? 0)
  t.equal(relayEnd(bundle, third), bundle.length)
  t.equal(relayLink(bundle, third), FIRST_LINK + 1)
  t.same(
    decodeAll(bundle).map(event => event.type),
    ['relay.data', 'path.ready', 'relay.data'],
  )
})

t.test('other spellings are msgpack too, but not for the lane', async t => {
  const spellings: readonly [what: string, bytes: string][] = [
    ['a small link', '934007c40100'],
    ['a link as uint64', '9340cf0000000000010001c40100'],
    ['one more field', '9440ce00010001c40100c0'],
    ['the longer list', 'dc000340ce00010001c40100'],
    ['the code as uint8', '93cc40ce00010001c40100'],
  ]
  for (const [what, text] of spellings) {
    t.equal(relayEnd(bytesOf(text), 0), -1, what)
    t.equal(decode(bytesOf(text)).type, 'relay.data', what)
  }
  t.equal(relayEnd(bytesOf('9340ce00010001c60000000100'), 0), -1, 'bin32')
  t.equal(relayEnd(bytesOf('9340ce00010001a100'), 0), -1, 'a string')
})

t.test('what lies before and behind a frame is left alone when one is written', async t => {
  const out = new Uint8Array(40).fill(0xee)
  t.equal(writeRelay(out, 5, FIRST_LINK, payloadOf(8)), 5 + relaySize(8))
  t.equal(hex(out.subarray(0, 5)), 'ee'.repeat(5))
  t.equal(hex(out.subarray(5 + relaySize(8))), 'ee'.repeat(40 - 5 - relaySize(8)))
})

t.test('a node with as many links as one session may have hears of all in one message', async t => {
  const links = Array.from({ length: LINKS_PER_SESSION_MAX }, (_, n) => FIRST_LINK + n)
  const server: [string, string, string] = ['t'.repeat(256), 'u'.repeat(128), 'p'.repeat(128)]
  const iceServers = Array.from({ length: 16 }, () => server)
  for (const type of ['registered', 'resumed'] as const) {
    const bytes = encode({ ...EXAMPLES[type], links, iceServers })
    t.ok(bytes.length <= MESSAGE_MAX, `${type}: ${bytes.length} bytes`)
    t.match(decode(bytes), { type, links })
  }
})
