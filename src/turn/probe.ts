/** Asks a STUN server over a real socket whether it answers. */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { type Endpoint, familyOf } from '../protocol/address.js'
import { TurnClient } from './client.js'
import { TurnError } from './errors.js'
import { UdpSocket } from './udp.js'

/** A server that has not answered for this long is not well, ms. */
const PATIENCE_MS = 2_000

/** Where to knock for a server that listens on every address. */
const LOOPBACK: Readonly<Record<string, string | undefined>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Resolves to the round trip of a Binding request, ms; rejects when no answer comes. */
export async function probe({ address, port }: Endpoint, clock: Clock, random: Random): Promise<number> {
  const server = { address: LOOPBACK[address] ?? address, port }
  const startedMs = clock.now()
  let give = (_error: Error): void => {}
  const failure = new Promise<never>((_, reject) => {
    give = reject
  })
  const socket = await UdpSocket.open({
    address: familyOf(server.address) === 6 ? '::' : '0.0.0.0',
    port: 0,
    bufferBytes: 65_536,
    received: bytes => void client.received(bytes),
    failed: error => give(error),
  })
  const client = new TurnClient({ clock, random, send: bytes => socket.send(bytes, server) })
  const timer = clock.setTimeout(
    () => give(new TurnError('no_answer', `no answer for ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  )
  try {
    await Promise.race([client.binding(), failure])
    return clock.now() - startedMs
  } finally {
    clock.clearTimeout(timer)
    client.close()
    socket.close()
  }
}
