/** Where a shell hands its sockets: limits before registration, a deadline for the greeting, then the door. */
import type { Challenge } from '../actors/admission/challenges.js'
import type { Hello, Intake, Socket, Vouch } from '../actors/ports.js'
import { type Clock, every } from '../kit/clock.js'
import { Deadlines } from '../kit/deadlines.js'
import { Schedule } from '../kit/schedule.js'
import { Turns } from '../kit/turns.js'
import { CLOSE } from '../protocol/close-codes.js'
import { type Door, type Overhear, SocketConnection } from './connection.js'
import { Addresses, type EdgeLimits } from './limits.js'

export interface IntakeOptions {
  readonly serverId: string
  readonly clock: Clock
  readonly limits: EdgeLimits
  /** How long a socket may take to register once it has been welcomed, ms; what it waits for us does not count. */
  readonly greetingMs: number
  readonly nextChallenge: () => Challenge
  readonly door: Omit<
    Door,
    'limits' | 'now' | 'turns' | 'mayGreet' | 'established' | 'lost' | 'overheard'
  > & {
    readonly lost: (connection: SocketConnection, slot: number) => void
  }
}

export interface SocketIntake extends Intake {
  counts(): { readonly open: number; readonly greeting: number }
  /** Lets an agent in whose socket is a mailbox. */
  enter(socket: Socket, hello: Hello, vouch: Vouch): SocketConnection
  /** Tells `hear` what sessions say and are told; null: nobody, which costs nothing. */
  overhear(hear: Overhear | null): void
  /** Closes every socket with this reason, and takes no more. */
  shut(close: keyof typeof CLOSE): void
}

/** What greetings and losses may take in one turn of the event loop: packets of others wait that long at most. */
const PER_TURN = { ms: 3 }
/** How often addresses without connections are looked through, ms. */
const SWEEP_MS = 60_000
/** Refused connections are told to come back at this rate, a second: not all at once. */
const RETURNS_PER_SECOND = 2_000
/** The longest that one is told to stay away, s. */
const RETRY_AFTER_MAX_S = 30

export function createIntake(options: IntakeOptions): SocketIntake {
  const { clock, limits, door: inner } = options
  const addresses = new Addresses(clock, limits)
  const connections = new Set<SocketConnection>()
  const returns = new Schedule({ perSecond: RETURNS_PER_SECOND, burst: 0 })
  const greetings = new Deadlines<SocketConnection>(clock, connection => {
    if (connection.waits) return greetings.set(connection, options.greetingMs)
    inner.count('greeting_timeout')
    connection.close('greetingTimeout', CLOSE.greetingTimeout.doc)
  })
  const stopSweep = every(clock, SWEEP_MS, () => addresses.sweep())
  let shut = false

  const door: Door = {
    ...inner,
    limits,
    overheard: null,
    now: () => clock.now(),
    turns: new Turns({ clock, perTurn: PER_TURN, between: inner.between }),
    mayGreet: remote => addresses.hello(remote),
    established: connection => {
      greetings.clear(connection)
      addresses.established(connection.socket.remote)
    },
    lost: (connection, slot) => {
      greetings.clear(connection)
      connections.delete(connection)
      addresses.closed(connection.socket.remote, connection.isSession)
      inner.lost(connection, slot)
    },
  }

  const retryAfterS = (now: number) => {
    const farthestS = returns.waitMs(now) / 1_000
    if (farthestS > RETRY_AFTER_MAX_S) return RETRY_AFTER_MAX_S
    return Math.max(1, Math.ceil(returns.book(1, now) / 1_000))
  }

  const connect = (socket: Socket): SocketConnection => {
    inner.between()
    addresses.opened(socket.remote)
    const connection = new SocketConnection(socket, door)
    connections.add(connection)
    return connection
  }

  return {
    admit(remote) {
      inner.between()
      const reason = shut ? 'shut' : addresses.barred(remote)
      if (reason === null) return { ok: true }
      inner.count(reason)
      return { ok: false, retryAfterS: retryAfterS(clock.now()) }
    },
    opened(socket) {
      const connection = connect(socket)
      door.turns.run(() => {
        if (connection.gone) return
        connection.welcome(options.nextChallenge(), options.serverId, clock.wallMs())
        greetings.set(connection, options.greetingMs)
      })
      return connection
    },
    enter(socket, hello, vouch) {
      const connection = connect(socket)
      greetings.set(connection, options.greetingMs)
      connection.enter(hello, vouch)
      return connection
    },
    overhear(hear) {
      door.overheard = hear
    },
    counts: () => ({ open: connections.size, greeting: addresses.greeting }),
    shut(close) {
      shut = true
      greetings.stop()
      stopSweep()
      for (const connection of connections) connection.close(close, CLOSE[close].doc)
    },
  }
}
