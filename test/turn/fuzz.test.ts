/** Whatever comes in, nothing is thrown and nobody draws more than is their due. Seeds are fixed. */
import fc from 'fast-check'
import t from 'tap'
import { ATTRIBUTE, METHOD } from '../../src/turn/attributes.js'
import { readMessage } from '../../src/turn/codec.js'
import { udpFlow } from '../../src/turn/flow.js'
import { FrameReader } from '../../src/turn/framing.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { PEER, Rig } from './rig.js'
import { REQUEST, REQUEST_LONG_TERM, REQUEST_SHA256, RESPONSE_V4, RESPONSE_V6 } from './vectors.js'

const RUNS = { seed: 20_260_101, numRuns: 3_000 }
const IP_AND_UDP = 28
const STRANGER = udpFlow(0, '50.0.0.1', 1_000)

const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array))
const attributeTypes = fc.oneof(fc.constantFrom(...Object.values(ATTRIBUTE)), fc.nat(0xffff))
const attributes = fc.array(fc.tuple(attributeTypes, fc.uint8Array({ maxLength: 40 })), { maxLength: 10 })
const messages = fc
  .tuple(
    fc.constantFrom('request', 'indication', 'success', 'error'),
    fc.oneof(fc.constantFrom(...Object.values(METHOD)), fc.nat(0xfff)),
    attributes,
    fc.boolean(),
  )
  .map(([messageClass, method, parts, fingerprint]) => {
    const writer = new MessageWriter(messageClass as 'request', method, Buffer.alloc(12, 7)) // one of the four
    for (const [type, value] of parts) writer.add(type, value)
    return (fingerprint ? writer.addFingerprint() : writer).finish()
  })
/** A good message with a few bytes changed. */
const mangled = fc
  .tuple(
    fc.constantFrom(REQUEST, REQUEST_LONG_TERM, REQUEST_SHA256, RESPONSE_V4, RESPONSE_V6),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  )
  .map(([message, changes]) => {
    const copy = Buffer.from(message)
    for (const [at, value] of changes) copy[at % copy.length] = value
    return copy
  })
const inputs = fc.oneof(bytes, messages, mangled)

t.test('a stranger throws nothing over and draws at most 1.6 times what they send', async () => {
  const rig = new Rig({ limits: { bindingsPerSecond: 1e9, rejectionsPerSecond: 1e9 } })
  fc.assert(
    fc.property(inputs, input => {
      const answers = rig.say(input, STRANGER)
      const drawn = answers.reduce((sum, answer) => sum + answer.length + IP_AND_UDP, 0)
      return answers.length <= 1 && drawn <= 1.6 * (input.length + IP_AND_UDP) && rig.relays.size === 0
    }),
    RUNS,
  )
})

t.test(
  'a client with good credentials throws nothing over, opens one relay and reaches only peers it may',
  async t => {
    const rig = new Rig({ limits: { bindingsPerSecond: 1e9, rejectionsPerSecond: 1e9 } })
    const caller = rig.caller()
    caller.challenge()
    const requests = fc.constantFrom(
      METHOD.allocate,
      METHOD.refresh,
      METHOD.createPermission,
      METHOD.channelBind,
    )
    fc.assert(
      fc.property(requests, attributes, inputs, (method, parts, input) => {
        rig.say(
          caller.signed(method, writer => parts.reduce((so, [type, value]) => so.add(type, value), writer)),
          caller.flow,
        )
        rig.say(input, caller.flow)
        return rig.relays.size <= 3
      }),
      RUNS,
    )
    t.ok(rig.sent.every(({ to }) => to.address !== '127.0.0.1'))
  },
)

t.test('a peer throws nothing over, and what it sends arrives as it was', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const relay = rig.relayAt(caller.opens())
  caller.permit(PEER)
  fc.assert(
    fc.property(bytes, input => {
      rig.perform(rig.server.fromPeer(relay, input, PEER.address, PEER.port))
      const message = readMessage(rig.replies.at(-1)?.data ?? Buffer.alloc(0))
      return message?.attributes.at(-1)?.value.equals(input) === true
    }),
    { ...RUNS, numRuns: 300 },
  )
  t.equal(caller.heard().length, 300)
})

t.test('frames are found alike, however a stream is cut', async () => {
  const frames = fc.array(fc.oneof(messages, fc.constant(Buffer.from('4000000568656c6c6f000000', 'hex'))), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
      (sent, cuts) => {
        const stream = Buffer.concat(sent)
        const reader = new FrameReader()
        const got: Buffer[] = []
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1)
          got.push(...(reader.read(stream.subarray(at, end)) ?? []))
          at = end
        }
        return !reader.partial && Buffer.concat(got).equals(stream) && got.length === sent.length
      },
    ),
    { ...RUNS, numRuns: 500 },
  )
})

t.test('a stream of anything is frames or is given up, and holds no more than one frame', async () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 10 }), chunks => {
      const reader = new FrameReader()
      for (const chunk of chunks) if (reader.read(chunk) === null) return true
      return true
    }),
    RUNS,
  )
})
