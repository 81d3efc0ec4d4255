/**
 * How long an idle mapping lives: sockets that ask once and then only listen, each for another time. The coordinator
 * sends to where they asked from when their time is over; what arrives was let in by a mapping that was still there.
 */
import type { Clock } from '../../kit/clock.js'
import type { Silence } from '../../mesh/probe-plan.js'
import { type Endpoint, endpointText } from '../../protocol/address.js'
import { DirectSocket } from '../direct/direct-socket.js'
import type { OpenDatagrams } from '../ports.js'
import { askBinding } from './ask-binding.js'
import type { ProbeTests } from './probe-nat.js'

export interface LifetimeOptions {
  readonly clock: Clock
  readonly openDatagrams: OpenDatagrams
  readonly server: Endpoint
  readonly silences: readonly Silence<Uint8Array>[]
  readonly signal: AbortSignal
}

/** What the reminder may take to arrive, ms. */
const GRACE_MS = 3_000

/** Resolves, after the longest silence, to one test for each mapping that could be opened. */
export async function mappingLifetime(options: LifetimeOptions): Promise<ProbeTests> {
  const tests = await Promise.all(options.silences.map(silence => outlive(silence, options)))
  return tests.flat()
}

async function outlive({ id, silenceS }: Silence<Uint8Array>, options: LifetimeOptions): Promise<ProbeTests> {
  const { clock, openDatagrams, server, signal } = options
  const socket = new DirectSocket(openDatagrams)
  await socket.open()
  try {
    const answer = await askBinding({ clock, socket, server, transactionId: id, signal })
    if (answer.kind !== 'answered') return []
    const reminded = await hears(socket, id, clock, silenceS * 1_000 + GRACE_MS, signal)
    return signal.aborted ? [] : [['lifetime', id, reminded ? endpointText(answer.mapped) : null, silenceS]]
  } finally {
    socket.close()
  }
}

/** Resolves to whether the indication came within this time. */
function hears(
  socket: DirectSocket,
  id: Uint8Array,
  clock: Clock,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise(resolve => {
    const end = (came: boolean) => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      stopHearing()
      resolve(came)
    }
    const giveUp = () => end(false)
    const timer = clock.setTimeout(giveUp, withinMs)
    const stopHearing = socket.onStun(message => {
      if (message.class !== 'indication' || !message.transactionId.equals(id)) return false
      end(true)
      return true
    })
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
  })
}
