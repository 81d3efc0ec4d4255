/** Load for TURN servers: our client opens what is needed, `turnload.cpp` has the sockets and does the sending. */
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { TurnClient } from '../../src/turn/client.js'
import { issueCredentials } from '../../src/turn/credentials.js'
import { CLIENT_CORE, type Child, startOn } from '../processes.js'
import { PEERS, SECRET } from '../servers/turn-setup.js'
import { compiled } from './compiled.js'
import type { Load } from './generator.js'

/** Options of `turnload.cpp` by their names there. */
export type TurnLoadOptions = Readonly<Record<string, number>> & { readonly port: number }

/** What the generator measured: each packet that a peer or a client got counts once. */
export type TurnLoad = Pick<
  Load,
  'count' | 'seconds' | 'perSecond' | 'lost' | 'serverBusy' | 'clientBusy' | 'foreignBusy' | 'serverMicros'
>

/** How long the credentials are good, s. */
const TTL_S = 600

/** Runs the generator to its end. */
export async function turnLoad(options: TurnLoadOptions): Promise<TurnLoad> {
  const args = Object.entries(options).map(([key, value]) => `${key}=${value}`)
  const child = startOn(CLIENT_CORE, compiled('turnload.cpp'), args)
  const { peers } = JSON.parse(await child.line()) as { peers: number[] } // turnload says so first
  const clients = peers.map((_, i) => clientOf(child, i))
  const opened = Promise.all(
    clients.map(async (client, i) => {
      await client.allocate()
      await client.bind({ address: PEERS, port: peers[i] as number }) // one for each client
    }),
  )
  const measured = measure(child, clients)
  await opened
  child.say('go')
  const result = await measured
  for (const client of clients) client.close()
  await child.end()
  return result
}

function clientOf(child: Child, i: number): TurnClient {
  const { username, password } = issueCredentials(SECRET, `client-${i}`, TTL_S, systemClock.wallMs())
  return new TurnClient({
    clock: systemClock,
    random: systemRandom,
    send: bytes => child.say(`send ${i} ${bytes.toString('hex')}`),
    username,
    password,
  })
}

/** Hands the clients what the server says to them, until the generator says what it has measured. */
async function measure(child: Child, clients: readonly TurnClient[]): Promise<TurnLoad> {
  for (;;) {
    const line = await child.line()
    const [, client, hex] = /^got (\d+) ([\da-f]*)$/.exec(line) ?? []
    if (hex !== undefined) clients[Number(client)]?.received(Buffer.from(hex, 'hex'))
    else if (line.startsWith('{')) return JSON.parse(line) as TurnLoad // turnload prints these fields
  }
}
