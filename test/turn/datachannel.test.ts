/** libdatachannel, the stack of WebRTC without a browser, meets by way of our server alone. */
import { join } from 'node:path'
import t from 'tap'
import { LOOPBACK, output, portOf, SECRET, startTurn } from './real.js'
import { issueCredentials } from '../../src/turn/credentials.js'
import { systemClock } from '../../src/kit/clock.js'

const PAIR = join(import.meta.dirname, 'fixtures/datachannel-pair.js')

t.test('two data channel peers that may use a relay only exchange messages through it', async t => {
  // The relays have an address of their own and reach each other alone: a peer that tried from its own socket
  // would be let through nowhere.
  const turn = await startTurn(t, { relays: [{ address: '127.0.0.3' }], peers: {} })
  const printed = await output(process.execPath, [PAIR, servers(portOf(turn, 'udp'))], 20_000)
  t.match(JSON.parse(printed), { received: 20, types: ['relay'], pair: ['relay', 'relay'] })
  t.ok(turn.stats().toPeers.packets > 20)
})

/** Spelled as the library wants it. */
function servers(port: number): string {
  const { username, password } = issueCredentials(SECRET, 'node-1', 600, systemClock.wallMs())
  return JSON.stringify([{ hostname: LOOPBACK, port, username, password, relayType: 'TurnUdp' }])
}
