import t from 'tap'
import { keyedBlake2s } from '../../src/protocol/blake2s.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { InitiationReader } from '../../src/protocol/wireguard-initiation.js'
import { initiation, tai64n, withMac1 } from '../support/wireguard-initiator.js'
import { bytesOf, hex } from './bytes.js'

/** Two initiations of one wireguard-go, five seconds apart, to a peer that does not answer. */
const RECORDED = {
  responder: {
    privateKey: bytesOf('593a92874ca57720d0107d12a7da0d72617c75df6c9790f480b1208d39a3228c'),
    publicKey: bytesOf('d07d8522e1c6bf8194f1dd75f24c187db980dd38584150157b479d13797c8165'),
  },
  sender: bytesOf('6f0ef42bf2450685e6ba115365f1c769bf88deae4ca684252510268835826323'),
  messages: [
    '010000006717788339f3e7e2265b6106ff6e022380ffa9c91ad7584ac5fba37c9c256b27e8aaa8563496f00c8e4e8cdb748c6fbb47d4937e39ab4cfef5f6db9dc71de5a2cf64a00ad9722fc88d77c17e5b396050b822dfb1f58a8066ea351d20327dfeb3b3a2f8ba618cbae745b88b6d6b19785cbcfd264af6247f3ba0be1b55f627595900000000000000000000000000000000',
    '010000007f2a1538c7ca1b490e8f1b8f724004177a3648da2ecfcbfdc707e815e14238a9e57f8007ad5dfe1544c8713438dbfd57348d9c358bd35af6347079d863de9c0fb5ff8a4386d9bf4ba98c567fedd3bc1457e756f7e47422df1b19f886cd41fae4016b1f501725e68957a5310fa541da3aee70f350d47e08d100f8bfbf1e16c5f200000000000000000000000000000000',
  ].map(bytesOf),
}

t.test('what a real WireGuard sends says who it is, and when', async t => {
  const reader = new InitiationReader(RECORDED.responder)
  const read = RECORDED.messages.map(message => {
    t.ok(reader.addressed(message))
    return reader.read(message)
  })
  for (const each of read) t.equal(hex(each?.publicKey ?? new Uint8Array()), hex(RECORDED.sender))
  const [first = '', second = ''] = read.map(each => hex(each?.timestamp ?? new Uint8Array()))
  t.equal(first.slice(0, 8), '40000000', 'seconds of TAI64')
  t.ok(first < second)
})

t.test('any sender is told by its key', async t => {
  const responder = newKeyPair()
  const reader = new InitiationReader(responder)
  for (let i = 0; i < 20; i++) {
    const sender = newKeyPair()
    const timestamp = tai64n(i)
    t.same(reader.read(initiation(sender, responder.publicKey, timestamp)), {
      publicKey: Buffer.from(sender.publicKey),
      timestamp: Buffer.from(timestamp),
    })
  }
})

t.test('a message for another responder is not addressed', async t => {
  const [sender, responder, other] = [newKeyPair(), newKeyPair(), newKeyPair()]
  const message = initiation(sender, other.publicKey, tai64n(0))
  const reader = new InitiationReader(responder)
  t.notOk(reader.addressed(message))
  t.equal(reader.read(message), null)
  t.equal(reader.read(withMac1(message, responder.publicKey)), null, 'whatever its mac1 says')
})

t.test('what is not an initiation is not addressed', async t => {
  const responder = newKeyPair()
  const reader = new InitiationReader(responder)
  const good = initiation(newKeyPair(), responder.publicKey, tai64n(0))
  t.ok(reader.addressed(good))
  for (const size of [0, 1, 32, 92, 147])
    t.notOk(reader.addressed(good.subarray(0, size)), `cut to ${size} bytes`)
  t.notOk(reader.addressed(Buffer.concat([good, Buffer.alloc(1)])), 'longer')
  for (const head of ['02000000', '04000000', '01000001', '00010000'])
    t.notOk(
      reader.addressed(withMac1(Buffer.from(head + hex(good).slice(8), 'hex'), responder.publicKey)),
      head,
    )
})

t.test('no bit of what is sealed or bound can be changed', async t => {
  const responder = newKeyPair()
  const reader = new InitiationReader(responder)
  const good = initiation(newKeyPair(), responder.publicKey, tai64n(0))
  for (let at = 8; at < 116; at++) {
    // The highest bit of a point means nothing (RFC 7748 §5), but what is bound to it does.
    const bent = Buffer.from(good)
    bent[at] = (bent[at] as number) ^ 0x80 // at is inside
    if (reader.addressed(bent)) t.fail(`mac1 does not hold byte ${at}`)
    if (reader.read(withMac1(bent, responder.publicKey)) !== null) t.fail(`the seals do not hold byte ${at}`)
  }
  for (let at = 116; at < 132; at++) {
    const bent = Buffer.from(good)
    bent[at] = (bent[at] as number) ^ 1 // at is inside
    if (reader.addressed(bent)) t.fail(`byte ${at} of mac1 is not compared`)
  }
})

t.test('a point of small order, which makes a secret that everyone knows, is no sender', async t => {
  const responder = newKeyPair()
  const reader = new InitiationReader(responder)
  const message = initiation(newKeyPair(), responder.publicKey, tai64n(0))
  for (const ephemeral of [new Uint8Array(32), new Uint8Array(32).with(0, 1)]) {
    message.set(ephemeral, 8)
    t.equal(reader.read(withMac1(message, responder.publicKey)), null)
  }
})

t.test('keyed BLAKE2s makes what another implementation makes', async t => {
  // By hashlib of CPython: the key is 00 01 … 1f, the data as many bytes of the same kind.
  const known: readonly [length: number, size: number, code: string][] = [
    [0, 32, '48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49'],
    [1, 32, '40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1'],
    [63, 32, 'c65382513f07460da39833cb666c5ed82e61b9e998f4b0c4287cee56c3cc9bcd'],
    [64, 32, '8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff2954ed4'],
    [65, 32, '21fe0ceb0052be7fb0f004187cacd7de67fa6eb0938d927677f2398c132317a8'],
    [116, 16, '072e94ffbfc684bd8ab2a1b9dade2fd5'],
    [128, 16, '8c09f698d03eaf88abf69f8147865ef6'],
    [255, 32, '3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd'],
  ]
  const count = (length: number) => Uint8Array.from({ length }, (_, i) => i)
  for (const [length, size, code] of known) t.equal(hex(keyedBlake2s(count(32), count(length), size)), code)
  t.equal(hex(keyedBlake2s(Buffer.from('k'), Buffer.from('abc'), 16)), 'f335237426ff5582d0c607ef240684b5')
})

t.test(
  'a message that is not for us costs microseconds, and reading one does not cost a millisecond',
  async t => {
    const responder = newKeyPair()
    const reader = new InitiationReader(responder)
    const good = initiation(newKeyPair(), responder.publicKey, tai64n(0))
    const foreign = initiation(newKeyPair(), newKeyPair().publicKey, tai64n(0))
    const refusedUs = microseconds(2_000, () => reader.addressed(foreign))
    const readUs = microseconds(200, () => reader.read(good))
    t.comment(`refused by mac1 in ${refusedUs.toFixed(1)} µs, read in ${readUs.toFixed(0)} µs`)
    t.ok(refusedUs * 5 < readUs)
  },
)

/** Returns the least that one of `times` calls took in a few rounds. */
function microseconds(times: number, run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    for (let i = 0; i < times; i++) run()
    least = Math.min(least, ((performance.now() - began) * 1000) / times)
  }
  return least
}
