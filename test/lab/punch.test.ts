/**
 * What physics says of two NATs, and `canPunch` with it: two plain sockets tell each other their mapped endpoints
 * and then call until both have been answered, moving to wherever the other was heard from.
 */
import t from 'tap'
import { canPunch } from '../../src/mesh/nat.js'
import { seededRandom } from '../../src/kit/random.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { Caller } from './caller.js'
import { CoordinatorTraversal } from './coordinator-traversal.js'
import { Internet } from './internet.js'
import { DEPENDENCES, truthOf } from './truth.js'
import type { NatSpec, Place } from './udp-net.js'

const ANY_NAT: readonly NatSpec[] = DEPENDENCES.flatMap(mapping =>
  DEPENDENCES.map(filtering => ({ kind: 'port', mapping, filtering, preservesPort: false }) as const),
)
const PLACES: readonly Place[] = [
  {},
  ...ANY_NAT.map(nat => ({ nat: [nat] })),
  { nat: ['port', 'port'] },
  { nat: ['addr', 'full'] },
  { nat: ['port', 'sym'] },
  { nat: ['sym', 'full'] },
  { nat: ['sym'], v6: true },
  { nat: ['port'], v6: true },
  { blocksUdp: true },
]

for (const [i, one] of PLACES.entries()) {
  t.test(`canPunch knows where ${named(one)} gets to`, async t => {
    for (const other of PLACES.slice(i)) {
      const { verdict, reason } = canPunch(truthOf(one), truthOf(other))
      if (verdict !== 'maybe')
        t.equal((await meets(one, other)) ? 'yes' : 'no', verdict, `${named(other)}: ${reason}`)
    }
  })
}

/** How long the two call, ms, and how often. */
const CALL_MS = 2_000
const CALL_EVERY_MS = 100

/** Returns whether two hosts at these places, each behind routers of its own, hear answers from each other. */
async function meets(one: Place, other: Place): Promise<boolean> {
  const clock = new SimulatedClock()
  const internet = new Internet({ clock })
  const traversal = new CoordinatorTraversal({
    clock,
    random: seededRandom(2),
    net: internet.udp,
    host: 'mesh.test',
    turn: true,
    allowed: () => true,
  })
  internet.udp.place('anna', one)
  internet.udp.place('bert', other)
  const anna = new Caller(traversal.listeners, ms => clock.run(ms))
  const bert = new Caller(traversal.listeners, ms => clock.run(ms))
  await anna.open(internet, 'anna')
  await bert.open(internet, 'bert')
  anna.call(await bert.outside())
  bert.call(await anna.outside())
  for (let ms = 0; ms < CALL_MS; ms += CALL_EVERY_MS) {
    anna.again()
    bert.again()
    await clock.run(CALL_EVERY_MS)
  }
  traversal.stop()
  return anna.answered && bert.answered
}

function named({ nat = [], v6, blocksUdp }: Place): string {
  const routers = nat.map(spec => (typeof spec === 'string' ? spec : `${spec.mapping} ${spec.filtering}`))
  return [routers.join(' + ') || 'no NAT', v6 === true && 'with IPv6', blocksUdp === true && 'without UDP']
    .filter(Boolean)
    .join(' ')
}
