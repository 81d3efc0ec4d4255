import t, { type Test } from 'tap'
import { DirectSocket } from '../../../src/agent/direct/direct-socket.js'
import type { Base } from '../../../src/agent/direct/pair.js'
import { Pairs } from '../../../src/agent/direct/pairs.js'
import { seededRandom } from '../../../src/kit/random.js'
import type { Endpoint } from '../../../src/protocol/address.js'
import { readMessage, type StunMessage } from '../../../src/turn/codec.js'
import { SimulatedClock } from '../../support/simulated-clock.js'

const CLIENT: Endpoint = { address: '198.51.100.7', port: 4_000 }
const PACKET = Uint8Array.of(4, 0, 0, 0, 9)

t.test('who writes another link’s address as its own does not get its packets', async t => {
  const { base, socket, arrive, got } = await scene(t)
  const [honest, other] = [await ends(base, 1, got), await ends(base, 2, got)]
  const pair = honest.here.add(base, CLIENT, 'host')
  t.ok(pair !== null && honest.here.check(pair))
  honest.here.hear(honest.answerTo(socket.sent.at(-1)), CLIENT, base)
  arrive(PACKET, CLIENT)
  t.same(got, [1])

  t.match(other.here.hear(other.request(), CLIENT, base), { what: 'checked' })
  arrive(PACKET, CLIENT)
  t.same(got, [1, 1], 'its address is not proved to be the other link’s')

  other.here.hear(other.answerTo(socket.sent.at(-1)), CLIENT, base)
  arrive(PACKET, CLIENT)
  t.same(got, [1, 1, 2], 'one peer may have two links from one address: the newest gets them')
  other.here.close()
  arrive(PACKET, CLIENT)
  t.same(got, [1, 1, 2, 1], 'and the older one again, when that is gone')
})

t.test('packets of an address that is nobody’s are taken with the peer’s first check', async t => {
  const { base, arrive, got } = await scene(t)
  const { here, request } = await ends(base, 1, got)
  arrive(PACKET, CLIENT)
  t.equal(base.socket.strays.data, 1)
  here.hear(request(), CLIENT, base)
  arrive(PACKET, CLIENT)
  t.same(got, [1])
})

t.test('an answer counts only from where the check went', async t => {
  const { base, socket, got } = await scene(t)
  const { here, answerTo } = await ends(base, 1, got)
  const pair = here.add(base, CLIENT, 'host')
  if (pair !== null) here.check(pair)
  const answer = answerTo(socket.sent.at(-1))
  t.equal(here.hear(answer, { ...CLIENT, port: 4_001 }, base), null)
  t.notOk(pair?.valid)
  t.match(here.hear(answer, CLIENT, base), { what: 'answered' })
  t.equal(here.hear(answer, CLIENT, base), null, 'and once')
})

t.test('checks that wait too long are loss', async t => {
  const { base, socket, got, clock } = await scene(t)
  const { here, answerTo } = await ends(base, 1, got, clock)
  const pair = here.add(base, CLIENT, 'host')
  if (pair === null) return t.fail('no pair')
  for (let i = 0; i < 4; i++) {
    here.check(pair)
    if (i > 0) here.hear(answerTo(socket.sent.at(-1)), CLIENT, base)
  }
  t.equal(pair.lossPct, 0)
  clock.advance(1_500)
  here.sweep()
  t.equal(pair.lossPct, 25)
})

/** Both ends of one attempt: the one here, and what the other would send. */
async function ends(base: Base, link: number, got: number[], clock = new SimulatedClock()) {
  const key = new Uint8Array(32).fill(link)
  const of = (controlling: boolean) =>
    new Pairs({
      clock,
      random: seededRandom(link),
      link,
      attempt: 1,
      key,
      controlling,
      reachable: () => true,
      received: () => got.push(link),
      doubted: () => {},
    })
  const { socket, sent } = await wire()
  const there: Base = { type: 'socket', socket }
  const other = of(true)
  return {
    here: of(false),
    request: (): StunMessage => {
      const pair = other.add(there, CLIENT, 'host')
      if (pair !== null) other.check(pair)
      return read(sent.at(-1))
    },
    answerTo: (request: Buffer | undefined): StunMessage => {
      other.hear(read(request), CLIENT, there)
      return read(sent.findLast(each => each.readUInt16BE(0) === 0x0101))
    },
  }
}

/** A socket whose other end is the test. */
async function wire() {
  const sent: Buffer[] = []
  let arrive: (bytes: Uint8Array, from: Endpoint) => void = () => {}
  const socket = new DirectSocket(async received => {
    arrive = received
    return { local: () => [], send: bytes => void sent.push(Buffer.from(bytes)), close: () => {} }
  })
  await socket.open()
  return { socket, sent, arrive }
}

async function scene(t: Test) {
  const { socket, sent, arrive } = await wire()
  t.teardown(() => socket.close())
  const base: Base = { type: 'socket', socket }
  return { base, socket: { sent }, arrive, got: [] as number[], clock: new SimulatedClock() }
}

/** Throws when it is none: a test goes wrong then. */
function read(bytes: Buffer | undefined): StunMessage {
  const message = readMessage(bytes ?? Buffer.alloc(0))
  if (message === null) throw new Error('wanted a STUN message')
  return message
}
