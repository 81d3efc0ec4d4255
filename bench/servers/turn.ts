/** Our own TURN server alone in this process, as the coordinator runs it; only the limits per client are off. */
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { EmbeddedTurn } from '../../src/turn/embedded.js'
import { attend } from './control.js'
import { ADDRESS, PEERS, REALM, SECRET } from './turn-setup.js'

/** Far above what one bench opens, which all comes from one host. */
const NEVER = 1e6

const turn = await EmbeddedTurn.start({
  clock: systemClock,
  random: systemRandom,
  listen: [{ transport: 'udp', address: ADDRESS, port: 0 }],
  relays: [{ address: ADDRESS }],
  realm: REALM,
  secrets: [SECRET],
  allowed: () => true,
  peers: { excepted: [PEERS] },
  limits: { perUser: NEVER, perAddress: NEVER, bindingsPerSecond: NEVER, rejectionsPerSecond: NEVER },
})
attend(turn.listeners()[0]?.endpoint.port ?? 0)
