/** One connection over a socket that takes nothing. */
import t from 'tap'
import { DEFAULT_LIMITS } from '../../src/app/mesh.js'
import { type Door, SocketConnection } from '../../src/edge/connection.js'
import { Turns } from '../../src/kit/turns.js'
import { newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { SENT } from '../../src/protocol/sent.js'
import { SimulatedClock } from '../support/simulated-clock.js'

/** Returns how many of these messages a session with so many links is told before it is given up as too slow. */
function toldBeforeGivenUp(links: number, atMost: number): number {
  const clock = new SimulatedClock()
  let [waiting, told, closed] = [0, 0, false]
  const unused = () => {
    throw new Error('nothing is received here')
  }
  const door: Door = {
    limits: DEFAULT_LIMITS,
    now: () => clock.now(),
    turn: () => clock.now(),
    turns: new Turns({ clock, perTurn: { ms: 3 } }),
    ack: new Uint8Array(),
    linksOf: () => links,
    established: () => {},
    count: () => {},
    register: unused,
    overheard: null,
    resume: unused,
    enter: unused,
    mayGreet: unused,
    control: unused,
    forward: unused,
    beat: unused,
    beatList: unused,
    heard: unused,
    drained: unused,
    broke: unused,
    between: () => {},
    lost: unused,
    faulted: unused,
  }
  const socket = {
    remote: '203.0.113.9',
    send: (bytes: Uint8Array) => {
      waiting += bytes.length
      return SENT.queued
    },
    buffered: () => waiting,
    close: () => void (closed = true),
  }
  const { publicKey, privateKey } = newKeyPair()
  const challenge = { publicKey, privateKey: privateKeyOf(privateKey), nonce: new Uint8Array(32) }
  const connection = new SocketConnection(socket, door)
  connection.welcome(challenge, 'test', 0)
  connection.attach(1)
  while (!closed && told < atMost) {
    connection.tell(EXAMPLES['path.open'])
    told++
  }
  return told
}

t.test('a node that comes back over a slow line hears of all its links', async t => {
  const links = 11_000
  t.equal(toldBeforeGivenUp(links, links), links)
})

t.test('who reads nothing of what few links are about is given up', async t => {
  t.ok(toldBeforeGivenUp(2, 11_000) < 8_000)
})
